import { setImmediate as turn } from "node:timers/promises";
import { AlError } from "../../../src/base/errors.ts";
import type { HostSpec } from "../../../src/core/desired.ts";
import {
  type ControllerEvent,
  type Desired,
  runController,
  type SourcePort,
} from "../../../src/reconcile/controller.ts";
import type { PassDeps } from "../../../src/reconcile/pass.ts";
import { addressOf, recipesOf } from "../../memory-host/specs.ts";
import { REMOTE, ROLLOUT, type World } from "../../memory-host/world.ts";
import { SimulatedClock } from "../schedule/simulated-clock.ts";

const INTERVAL_MS = 60_000;

/** A branch in memory: the newest commit, and what each commit asks for. */
export class Branch implements SourcePort {
  commit: string | undefined = "c1";
  down = false;
  fetches = 0;
  readonly commits = new Map<string, Desired | AlError>();
  wake: () => void = () => {};
  /** Runs while the commit is being read. */
  onDesired: (commit: string) => void = () => {};

  async fetch(): Promise<string | undefined> {
    this.fetches++;
    if (!this.down) return this.commit;
    throw new AlError("the remote is down", { code: "git-failed", blame: "transient" });
  }

  async desired(commit: string): Promise<Desired> {
    this.onDesired(commit);
    const found = this.commits.get(commit);
    if (!found) throw new AlError(`no commit ${commit}`, { code: "no-commit", blame: "bug" });
    if (found instanceof AlError) throw found;
    return found;
  }

  watch(onWake: () => void): void {
    this.wake = onWake;
  }
}

const ended: (() => Promise<void>)[] = [];
/** Ends every controller of this test and waits for it. */
export async function endControllers(): Promise<void> {
  await Promise.all(ended.splice(0).map((end) => end()));
}

/** A controller over these machines, following a branch in memory. */
export function startController(world: World, deps: PassDeps = world.deps) {
  const branch = new Branch();
  const clock = new SimulatedClock();
  const abort = new AbortController();
  const events: ControllerEvent[] = [];
  const start = () => {
    const running = runController({
      source: branch,
      depsFor: () => deps,
      remote: REMOTE,
      clock,
      intervalMs: INTERVAL_MS,
      onEvent: (event) => events.push(event),
      signal: abort.signal,
    });
    ended.push(async () => {
      abort.abort();
      await running;
    });
  };
  const settled = async () => {
    for (let turns = 0; turns < 200; turns++) await turn();
  };
  return {
    branch,
    events,
    /** Starts it and waits until it waits. */
    async start() {
      start();
      await settled();
    },
    /** A wake, as after a push. */
    async push(commit: string, desired: Desired | AlError) {
      branch.commits.set(commit, desired);
      branch.commit = commit;
      branch.wake();
      await settled();
    },
    async poll() {
      await clock.advance(INTERVAL_MS);
      await settled();
    },
  };
}

/** What a commit asks for that wants these hosts. */
export const fleetOf = (...specs: HostSpec[]): Desired => ({
  kind: "fleet",
  fleet: {
    project: "acme",
    revision: specs[0]?.revision ?? "",
    hosts: specs.map((spec) => ({ address: addressOf(spec.host), spec })),
    placements: [],
    recipes: specs.flatMap(recipesOf),
    rollout: { ...ROLLOUT, parallelHosts: 2 },
  },
});
