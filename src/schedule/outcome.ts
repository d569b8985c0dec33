import type { FinishedRun, NewRun, Run } from "../core/run.ts";
import type { LiveRelease, RunExit } from "./ports.ts";

const RERUN = 42;
const TIMED_OUT = 124;
/** SIGTERM and SIGKILL from outside, and what dockerd reports of containers that died with their host. */
const FROM_OUTSIDE: ReadonlySet<number> = new Set([143, 137, 255]);

const EXIT_DETAILS: ReadonlyMap<number, string> = new Map([
  [10, "authentication failed"],
  [11, "permission denied"],
  [12, "rate limited"],
  [13, "wrong configuration"],
  [14, "a dependency failed"],
  [15, "unrecoverable error"],
  [16, "given up by the agent's user"],
]);

/** What to record of a run that ended so. `now` is used where nobody knows when it ended. */
export function finishedRun(run: Run, exit: RunExit, now: number): FinishedRun {
  if (exit.kind === "gone") {
    const outcome = run.killReason ?? "interrupted";
    return { outcome, endedAt: now, detail: run.killDetail ?? "its container is gone" };
  }
  const { code, startedAt, endedAt } = exit;
  return { ...verdict(run, exit), exitCode: code, startedAt, endedAt };
}

/**
 * The run that follows one that asked for a rerun, or was interrupted and whose agent says
 * `onInterrupted = "rerun"`; or why there is none; undefined when none is wanted. Its key makes it one only.
 */
export function rerunOf(
  run: Run,
  end: FinishedRun,
  release: LiveRelease,
): Omit<NewRun, "id" | "createdAt" | "trigger"> | { readonly refused: string } | undefined {
  const { agent, trigger } = run;
  const onInterrupted = release.agents.get(agent)?.onInterrupted;
  if (end.outcome === "interrupted" && onInterrupted !== "rerun") return undefined;
  if (end.outcome !== "interrupted" && end.outcome !== "rerun") return undefined;
  // Nobody knows why it started, or with which context.
  if (trigger.kind === "lost") return { refused: "a run whose record was lost is not run again" };
  // Who called is told how it ended, and may call again.
  if (trigger.kind === "call" || (trigger.kind === "webhook" && end.outcome === "rerun")) {
    return { refused: `a run started by a ${trigger.kind} is not run again` };
  }
  if (run.reruns >= release.project.maxReruns) {
    return { refused: `maxReruns (${release.project.maxReruns}) is reached` };
  }
  return { agent, reruns: run.reruns + 1, rerunOf: run.id, key: `rerun/${run.id}` };
}

function verdict(
  run: Run,
  exit: RunExit & { kind: "exited" },
): Pick<FinishedRun, "outcome" | "detail"> {
  const { code } = exit;
  if (code === 0) return { outcome: run.rerunAsked ? "rerun" : "completed" };
  if (code === RERUN) return { outcome: "rerun" };
  if (code === TIMED_OUT) return { outcome: "timed-out" };
  if (exit.outOfMemory) return { outcome: "failed", detail: "out of memory" };
  if (FROM_OUTSIDE.has(code)) {
    const { killReason, killDetail } = run;
    if (!killReason) {
      return { outcome: "interrupted", detail: `ended from outside (exit code ${code})` };
    }
    return { outcome: killReason, ...(killDetail && { detail: killDetail }) };
  }
  const detail = EXIT_DETAILS.get(code);
  return { outcome: "failed", ...(detail !== undefined && { detail }) };
}
