import type { RunAnswer } from "../../gateway/control-schema.ts";
import { spanText } from "./runs.ts";
import { tableLines } from "./table.ts";

/** A run that waits, and where. */
export interface HostQueued {
  readonly host: string;
  readonly run: RunAnswer;
  /** A sentence. */
  readonly waitsFor: string;
}

const HEAD = ["RUN", "HOST", "AGENT", "TRIGGER", "WAITS", "FOR"];

/** Runs that wait as a table, a line each under a line of headings; `now` in ms since the epoch. */
export function queueTable(waiting: readonly HostQueued[], now: number): string[] {
  if (waiting.length === 0) return ["nothing waits"];
  return tableLines(
    HEAD,
    waiting.map(({ host, run: { id, agent, trigger, createdAt }, waitsFor }) => [
      ...[id, host, agent, trigger, spanText(now - createdAt), waitsFor],
    ]),
  );
}
