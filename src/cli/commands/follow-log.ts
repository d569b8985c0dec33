import { createInterface } from "node:readline";
import { LogEvent, type RunAnswer } from "../../gateway/control-schema.ts";
import type { CliContext } from "../context.ts";
import { logLine, outcomeLine } from "../render/log-line.ts";
import type { LiveRuntime } from "./live-runtime.ts";

/** Which log to show. */
export interface LogSelection {
  readonly agent: string;
  /** The latest run when absent. */
  readonly run?: string | undefined;
  /** Go on until the run ends. */
  readonly follow: boolean;
  /** Only the last so many lines; all when absent. */
  readonly lines?: number | undefined;
}

/** Prints a run's log as it comes; returns the run when it has ended. */
export async function followLog(
  { output, signal }: CliContext,
  { connection, runtime }: LiveRuntime,
  { agent, run, follow, lines }: LogSelection,
): Promise<RunAnswer | undefined> {
  const query = new URLSearchParams();
  if (follow) query.set("follow", "1");
  if (lines !== undefined) query.set("lines", String(lines));
  const path = `/api/logs/agents/${agent}${run === undefined ? "" : `/${encodeURIComponent(run)}`}?${query}`;
  const body = await connection.control.stream({ runtime, method: "GET", path, signal });
  let end: RunAnswer | undefined;
  for await (const text of createInterface({ input: body })) {
    const event = LogEvent.parse(JSON.parse(text));
    output.record(event);
    if (event.kind === "end") end = event.run;
    output.line(event.kind === "end" ? outcomeLine(event.run) : logLine(event));
  }
  return end;
}
