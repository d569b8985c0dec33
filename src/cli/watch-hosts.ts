import type { FleetPassOptions } from "../reconcile/fleet-pass.ts";
import { createHostBoard } from "./render/host-board.ts";
import type { LiveRegion } from "./render/live-region.ts";
import type { Output } from "./render/output.ts";
import { eventLine } from "./render/results.ts";

const FRAME_MS = 100;

/** A pass that is being watched: hooks for it, and its end. */
export interface Watch
  extends Required<Pick<FleetPassOptions, "onBegin" | "onEvent" | "onResult">> {
  /** Must be called, however the pass ends. */
  end(): void;
}

/**
 * Shows what a pass over these hosts does: on a terminal one line per host that is redrawn in
 * place, elsewhere a line per finished step (none for a plan), for machines every event. After an
 * apply the hosts' last lines stay; a plan's are wiped, since its results say more.
 */
export function watchHosts(
  output: Output,
  hosts: readonly string[],
  mode: "plan" | "apply",
): Watch {
  const { region } = output;
  if (region) return watchLive(output, region, { hosts, mode });
  return {
    onBegin: () => {},
    onEvent: (event) => {
      if (mode === "plan") return;
      output.record(event);
      const line = eventLine(event);
      if (line !== undefined) output.progress(line);
    },
    onResult: () => {},
    end: () => {},
  };
}

function watchLive(
  output: Output,
  region: LiveRegion,
  { hosts, mode }: { readonly hosts: readonly string[]; readonly mode: "plan" | "apply" },
): Watch {
  const board = createHostBoard(hosts);
  const draw = () => region.draw(board.lines(Date.now(), region.height()));
  const timer = setInterval(draw, FRAME_MS);
  draw();
  return {
    onBegin: (host) => board.begin(host, Date.now()),
    onEvent(event) {
      board.event(event);
      const stays =
        event.kind === "rolling-back" || (event.kind === "action-finished" && event.kept);
      const line = stays ? eventLine(event) : undefined;
      if (line !== undefined) output.progress(line);
    },
    onResult: (result) => board.result(result, Date.now()),
    end() {
      clearInterval(timer);
      region.end(mode === "apply" ? board.lines(Date.now()) : []);
    },
  };
}
