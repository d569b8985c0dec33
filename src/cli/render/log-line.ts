import { printable } from "../../base/printable.ts";
import type { LogEvent, RunAnswer } from "../../gateway/control-schema.ts";

/** One line of a run's log for a person: the time, then words instead of JSON. */
export function logLine(event: Extract<LogEvent, { kind: "line" }>): string {
  const time = event.ts.slice(11, 19);
  return `${time} ${printable(logText(event.text))}`;
}

/** How a run ended, in one line. */
export function outcomeLine(run: RunAnswer): string {
  const { id, agent, state, outcome, exitCode, detail, startedAt, endedAt } = run;
  const took =
    startedAt !== undefined && endedAt !== undefined
      ? ` after ${((endedAt - startedAt) / 1000).toFixed(1)} s`
      : "";
  const code = exitCode === undefined ? "" : `, exit ${exitCode}`;
  const why = detail ? `: ${printable(detail)}` : "";
  return `run ${id} of ${agent}: ${outcome ?? state}${code}${took}${why}`;
}

/** A structured line as `message key=value`; plain output as it is. */
function logText(text: string): string {
  const record = structured(text);
  if (!record) return text;
  const { _log, level, msg, ts, ...fields } = record;
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${fieldText(value)}`);
  const mark = level === "error" || level === "warn" ? `${level}: ` : "";
  return `${mark}${[msg, ...shown].join(" ")}`;
}

function structured(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>;
    return parsed._log === true ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function fieldText(value: unknown): string {
  return typeof value === "string" && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
}
