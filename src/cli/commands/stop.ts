import { systemClock } from "../../base/clock.ts";
import { AlError } from "../../base/errors.ts";
import { counted } from "../../core/counted.ts";
import type { Stopped } from "../../core/stopped.ts";
import type { CliContext } from "../context.ts";
import { type StopEnd, stopLines } from "../render/stop.ts";
import { whereFlags } from "../render/where-flags.ts";
import { stopContainers } from "../stop-runtime.ts";
import { type Drainer, drain } from "./drain.ts";
import { answered, askHosts, type RuntimeSelection, reportFailures } from "./each-runtime.ts";
import { liveRuntime, notDeployed, type ObservedPlace } from "./live-runtime.ts";

/** How hosts are stopped. Without either, what is under way goes on by itself. */
export interface StopOptions extends RuntimeSelection {
  /** Waits until no run is active. */
  readonly drain: boolean;
  /** Kills what is active. */
  readonly kill: boolean;
}

/**
 * `al stop`: stops the runtime of hosts until `al start`. It takes no host lock: whatever a pass is doing
 * there meanwhile, it ends where it is as soon as it sees the marker.
 */
export async function stop(context: CliContext, options: StopOptions): Promise<number> {
  const { output } = context;
  const answers = await askHosts(context, options, (place, { project }) =>
    stopHost(context, place, { ...options, project }),
  );
  for (const { host, answer } of answered(answers)) {
    output.record({ kind: "stopped", host, ...answer });
    for (const line of stopLines(host, answer, options)) output.line(line);
  }
  return reportFailures(context, answers);
}

type Stopping = Omit<StopOptions, "selection"> & { readonly project: string };

/**
 * Stops one host; one that was stopped before stays so, with its time.
 * @throws AlError `not-deployed`, `already-stopped` (user): runs that are to end can be reached no more.
 */
export async function stopHost(
  context: Drainer,
  place: ObservedPlace,
  { project, ...options }: Stopping,
): Promise<StopEnd> {
  const { signal, person } = context;
  const { connection, observed } = place;
  if (!observed.current) throw notDeployed(observed.host);
  const before = observed.stopped;
  const drained = before ? false : await drainIfAsked(context, place, options);
  const marker: Stopped = before ?? {
    since: systemClock.now(),
    by: person,
    ...(drained && { drained }),
  };
  if (!before) await connection.writeStopped(observed.facts.projectDir, marker);
  const { runs } = await stopContainers(connection, { project, roles: ["runtime"], signal });
  const isUnmet = before && (options.drain || options.kill) && runs.length > 0;
  if (isUnmet) throw alreadyStopped(observed.host, runs, options);
  return { stopped: marker, already: before !== undefined, runs };
}

/** True when it was paused for this, and by nobody before. */
async function drainIfAsked(
  context: Drainer,
  place: ObservedPlace,
  { drain: waits, kill, dev }: Pick<StopOptions, "drain" | "kill" | "dev">,
): Promise<boolean> {
  if (!waits && !kill) return false;
  return drain(context, liveRuntime(place), { kill, dev });
}

function alreadyStopped(
  host: string,
  runs: readonly string[],
  { kill, dev }: Pick<StopOptions, "kill" | "dev">,
): AlError {
  const where = whereFlags(host, dev);
  const again = `al stop ${where} ${kill ? "--kill" : "--drain"}`;
  const those = `its ${counted(runs.length, "run")}: ${runs.join(", ")}`;
  const message = `host ${host} was stopped before, and nothing there can ${kill ? "kill" : "wait for"} ${those}`;
  const hint = `Start it first: al start ${where}; then: ${again}`;
  return new AlError(message, { code: "already-stopped", blame: "user", hint });
}
