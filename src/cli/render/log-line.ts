import { printable, printableLines } from "../../base/printable.ts";
import type { LogEvent, RunAnswer } from "../../gateway/control-schema.ts";

/** A line of a run's output. */
export type LineEvent = Extract<LogEvent, { kind: "line" }>;

type Fields = Readonly<Record<string, unknown>>;

const INDENT = " ".repeat(12);

/**
 * A line of a run's log for a person, as part of a conversation: what the agent says, `$` and what it
 * does, `!` and what went wrong, `=` and what it used; everything else after `-`. Whatever a run
 * writes, a terminal only shows it. Empty for what only machines need.
 */
export function logLines({ ts, stream, text }: LineEvent): string[] {
  const lines = stream === "stdout" ? outputText(text) : [`- ${stream}: ${text}`];
  return lines.flatMap(printableLines).map((line, at) => {
    return at === 0 ? `${printable(ts.slice(11, 19))}  ${line}` : `${INDENT}${line}`;
  });
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

/** What one line of output says, in words: the first for its own line, more for those below it. */
function outputText(text: string): string[] {
  const record = structured(text);
  if (!record) return [text];
  const { _log, level, msg, ts, ...fields } = record;
  const { tool, cmd, result } = fields;
  if (msg === "usage") return [];
  if (msg === "token-usage") return [`= ${usageText(fields)}`];
  if (msg === "bash" && typeof cmd === "string") return [`$ ${cmd}`];
  if (msg === "tool error" && typeof tool === "string" && typeof result === "string") {
    return [`! ${tool} failed: ${typeof cmd === "string" ? cmd : ""}`, result];
  }
  const mark = level === "error" || level === "warn" ? `! ${level}:` : "-";
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${fieldText(value)}`);
  return [[mark, msg, ...shown].join(" ")];
}

/** `1200 tokens: 1000 in, 200 out, 0 from the cache; $0.0120; 3 turns` */
function usageText(fields: Fields): string {
  const of = (name: string) => (typeof fields[name] === "number" ? fields[name] : 0);
  const turns = of("turnCount") === 1 ? "1 turn" : `${of("turnCount")} turns`;
  const cached = of("cacheReadTokens");
  const parts = `${of("inputTokens")} in, ${of("outputTokens")} out, ${cached} from the cache`;
  return `${of("totalTokens")} tokens: ${parts}; $${of("cost").toFixed(4)}; ${turns}`;
}

function structured(text: string): Fields | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const parsed = JSON.parse(text) as Fields;
    return parsed._log === true ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** A fact beside a message, as text. */
export function fieldText(value: unknown): string {
  return typeof value === "string" && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
}
