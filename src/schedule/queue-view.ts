import { counted } from "../core/counted.ts";
import type { Run } from "../core/run.ts";
import type { Terms } from "./accept.ts";
import { activeRuns, type Situation, situationOf, whyNever } from "./capacity.ts";
import { whyHeld } from "./holds.ts";
import type { RunQueuePorts } from "./run-queue.ts";

/** A run that waits, and for what, in words for a person. */
export interface QueuedRun {
  readonly run: Run;
  readonly waitsFor: string;
}

/** All runs that wait, oldest first: an agent's start in this order. */
export async function viewQueue(
  { store, ready }: RunQueuePorts,
  terms: Terms,
): Promise<readonly QueuedRun[]> {
  const situation = await situationOf(store, terms);
  const ahead = new Map<string, number>();
  const queued = (await store.unfinished()).filter(({ state }) => state === "queued");
  return queued.map((run) => {
    const before = ahead.get(run.agent) ?? 0;
    ahead.set(run.agent, before + 1);
    return { run, waitsFor: whyWaiting(situation, run.agent, before, ready()) };
  });
}

function whyWaiting(
  { release, standing, active, places }: Situation,
  agent: string,
  before: number,
  isReady: boolean,
): string {
  const stopped = whyNever(agent, release) ?? whyHeld(standing, agent);
  if (stopped !== undefined) return stopped;
  if (!isReady) return "the runtime is not ready to start runs";
  if (before > 0) {
    return `${counted(before, "run")} of ${agent} ${before === 1 ? "is" : "are"} ahead of it`;
  }
  const own = activeRuns(active, agent);
  const scale = release.agents.get(agent)?.scale ?? 0;
  if (own >= scale) return `${counted(own, "run")} of ${agent} under way; its scale is ${scale}`;
  const cap = release.project.scale ?? Infinity;
  if (places.taken >= cap) {
    return `${counted(active.length, "run")} under way; the project's scale is ${cap}`;
  }
  return "nothing: it is about to start";
}
