import { createInterface } from "node:readline";
import { AlError } from "../../base/errors.ts";
import { LogEvent, type RunAnswer } from "../../gateway/control-schema.ts";
import type { CliContext } from "../context.ts";
import { logLines, outcomeLine } from "../render/log-line.ts";
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

/**
 * Prints a run's log as it comes; returns the run when it has ended.
 * @throws AlError `log-left`, `log-cut-off` (transient) when the run goes on without us.
 */
export async function followLog(
  { output, signal }: CliContext,
  { connection, runtime }: LiveRuntime,
  { agent, run, follow, lines }: LogSelection,
): Promise<RunAnswer | undefined> {
  const query = new URLSearchParams();
  if (follow) query.set("follow", "1");
  if (lines !== undefined) query.set("lines", String(lines));
  const path = `/api/logs/agents/${agent}${run === undefined ? "" : `/${encodeURIComponent(run)}`}?${query}`;
  let seen = run;
  let end: RunAnswer | undefined;
  try {
    const body = await connection.control.stream({ runtime, method: "GET", path, signal });
    for await (const text of createInterface({ input: body })) {
      const event = LogEvent.parse(JSON.parse(text));
      output.record(event);
      if (event.kind === "end") {
        end = event.run;
        output.line(outcomeLine(event.run));
      } else {
        seen = event.run;
        for (const line of logLines(event)) output.line(line);
      }
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    throw goesOn({ agent, run: seen }, "log-left", "interrupted");
  }
  if (follow && !end) throw goesOn({ agent, run: seen }, "log-cut-off", "the log broke off");
  return end;
}

function goesOn(
  { agent, run = "" }: { agent: string; run: string | undefined },
  code: string,
  what: string,
): AlError {
  const name = `${agent} ${run}`.trim();
  return new AlError(`${what}; the run of ${agent} goes on without this command`, {
    code,
    blame: code === "log-left" ? "user" : "transient",
    hint: `Look again: al logs ${name} --follow`,
  });
}
