import { AlError, hasCode } from "../../base/errors.ts";
import { LogEvent } from "../../gateway/control-schema.ts";
import { askLines, type ControlClient } from "../control-client.ts";
import type { LiveRuntime } from "./live-runtime.ts";

/** Which part of which log. */
export interface LogPart {
  readonly agent: string;
  readonly run: string;
  /** Go on until the run ends. */
  readonly follow: boolean;
  /** Only the last so many lines; all when absent. */
  readonly lines?: number | undefined;
  /** Only lines of this time (ms) and later. */
  readonly since?: number | undefined;
  /** From an earlier event: goes on after it. */
  readonly cursor?: number | undefined;
}

/**
 * A run's log, as the runtime gives it; the last event of a finished run is its end.
 * @throws AlError `log-left` (user), `log-cut-off` (transient): the run goes on without us.
 */
export async function* readLog(
  live: LiveRuntime,
  part: LogPart,
  signal: AbortSignal,
): AsyncGenerator<LogEvent> {
  const { agent, run, follow } = part;
  let ended = false;
  try {
    const asked = { param: { agent, run }, query: queryOf(part) };
    const get = (api: ControlClient) => api.api.logs.agents[":agent"][":run"].$get(asked);
    for await (const event of askLines(live, LogEvent, get, { signal })) {
      ended = event.kind === "end";
      yield event;
    }
  } catch (thrown) {
    if (signal.aborted) throw goesOn(part, "log-left", thrown);
    throw hasCode(thrown, "cut-off") ? goesOn(part, "log-cut-off", thrown) : thrown;
  }
  if (follow && !ended) throw goesOn(part, "log-cut-off");
}

function queryOf({ follow, lines, since, cursor }: LogPart): Record<string, string> {
  const numbers = Object.entries({ lines, since, cursor }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return { ...(follow && { follow: "1" }), ...Object.fromEntries(numbers) };
}

function goesOn(
  { agent, run }: LogPart,
  code: "log-left" | "log-cut-off",
  cause?: unknown,
): AlError {
  const what = code === "log-left" ? "interrupted" : "the log broke off";
  return new AlError(`${what}; what the run does, it does without this command`, {
    code,
    blame: code === "log-left" ? "user" : "transient",
    hint: `Look again: al logs ${agent} ${run} --follow`,
    cause,
  });
}
