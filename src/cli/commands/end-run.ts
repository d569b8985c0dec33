import { hasCode } from "../../base/errors.ts";
import type { RunAnswer } from "../../gateway/control-schema.ts";
import type { AgentKillAnswer } from "../../gateway/steering-schema.ts";
import type { Runtime } from "../control-client.ts";
import { killRun } from "../steering.ts";
import { findRun } from "./find-run.ts";

/** What became of one run; `ended` is how it was over already, by itself. */
export interface EndedRun extends AgentKillAnswer {
  readonly ended?: RunAnswer["outcome"];
}

/** Kills a run, or drops it from the queue; undefined where the runtime does not know it. */
export async function endRun(
  live: Runtime,
  id: string,
  signal: AbortSignal,
): Promise<EndedRun | undefined> {
  const found = await findRun(live, id, signal);
  if (!found) return undefined;
  const isKilled = await kills(live, id, signal);
  // What it was before says too little: a queued run may have started, and a running one ended.
  const { agent, outcome } = (await findRun(live, id, signal)) ?? found;
  const none = { agent, killed: [], cancelled: [], failed: [] };
  if (isKilled) return { ...none, [outcome === "cancelled" ? "cancelled" : "killed"]: [id] };
  return outcome === undefined ? { ...none, failed: [id] } : { ...none, ended: outcome };
}

async function kills(live: Runtime, run: string, signal: AbortSignal): Promise<boolean> {
  try {
    await killRun(live, run, signal);
    return true;
  } catch (thrown) {
    if (hasCode(thrown, "not-running")) return false;
    throw thrown;
  }
}
