import type { Json } from "../base/canonical-json.ts";
import type { Run } from "../core/run.ts";
import type { RunStore } from "./ports.ts";
import type { SignalStore } from "./signals.ts";

/** How a call stands, for the run that made it. */
export type CallState =
  | { readonly status: "pending" | "running" }
  | { readonly status: "completed"; readonly returnValue?: Json }
  | { readonly status: "error"; readonly errorMessage: string };

/** Tells runs how the calls they made stand. */
export interface Calls {
  /** Undefined for a call that this run did not make. */
  look(caller: Run, callId: string): Promise<CallState | undefined>;
}

/** A call's id is the id of the run it made. */
export function createCalls(ports: {
  readonly store: RunStore;
  readonly signals: SignalStore;
}): Calls {
  return {
    async look(caller, callId) {
      const run = await ports.store.get(callId);
      if (run?.trigger.kind !== "call" || run.trigger.callerRun !== caller.id) return undefined;
      if (run.state === "running") return { status: "running" };
      if (run.state !== "finished") return { status: "pending" };
      if (!hasAnswered(run)) return { status: "error", errorMessage: whyFailed(run) };
      const returnValue = await ports.signals.returnValue(run.id);
      return { status: "completed", ...(returnValue !== undefined && { returnValue }) };
    },
  };
}

/** A called run is never run again: one that wanted to be has done its work all the same. */
function hasAnswered({ outcome }: Run): boolean {
  return outcome === "completed" || outcome === "rerun";
}

function whyFailed({ agent, outcome, detail, exitCode }: Run): string {
  const code = exitCode === undefined ? "" : ` (exit code ${exitCode})`;
  return `the run of ${agent} ended as ${outcome}${code}${detail ? `: ${detail}` : ""}`;
}
