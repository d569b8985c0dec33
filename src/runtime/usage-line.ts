import { TokenUsage } from "../core/run-limits.ts";
import type { StoredLine } from "./run-log-file.ts";

const MESSAGES: readonly unknown[] = ["usage", "token-usage"];

/** What a line of output says its run has used so far; undefined for every other line. */
export function usageIn({ stream, text }: StoredLine): TokenUsage | undefined {
  if (stream !== "stdout" || text[0] !== 0x7b || !text.includes('usage"')) return undefined;
  try {
    const record = JSON.parse(text.toString("utf8")) as Record<string, unknown>;
    if (record._log !== true || !MESSAGES.includes(record.msg)) return undefined;
    return TokenUsage.safeParse(record).data;
  } catch {
    return undefined;
  }
}
