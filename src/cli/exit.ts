import type { HostResult } from "../core/pass.ts";

/** Exit codes of `al`: stable, for scripts. */
export const EXIT = {
  /** Done, or nothing to do. */
  done: 0,
  /** Something failed, or waits for the operator. */
  error: 1,
  /** `al plan`: there are changes to make. */
  changes: 2,
} as const;

/** Nothing failed, but the fleet is not what the commit asks for until somebody does something. */
const WAITING: readonly HostResult["kind"][] = [
  "approval-needed",
  "consent-needed",
  "drifted",
  "not-provisioned",
  "waiting",
];

/** One exit code for the results of a whole fleet. */
export function exitCodeOf(results: readonly HostResult[], mode: "plan" | "apply"): number {
  const failed = results.some(({ kind }) => kind === "failed" || kind === "unreachable");
  if (failed) return EXIT.error;
  const waiting = results.some(({ kind }) => WAITING.includes(kind));
  if (mode === "apply") return waiting || results.some(isUnready) ? EXIT.error : EXIT.done;
  return waiting || results.some(({ kind }) => kind === "planned") ? EXIT.changes : EXIT.done;
}

/** Everything is as wanted, and yet no run would start. */
function isUnready(result: HostResult): boolean {
  return result.kind === "in-sync" && result.observed.runtime?.ready !== true;
}
