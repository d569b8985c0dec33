import type { Secret } from "../base/secret.ts";

/** Levels of the log protocol. */
export type RunLogLevel = "debug" | "info" | "warn" | "error";

/** A run's standard output: JSON log lines, and plain lines that can't be taken for one. */
export interface RunLog {
  log(level: RunLogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Ordinary output, line by line. */
  print(text: string): void;
  /** From now on these values appear as `[secret]` in everything written. */
  hide(secrets: Iterable<Secret>): void;
}

/** Longest quoted text: Docker's log driver splits lines at 16 KiB. */
const QUOTE_LIMIT = 4000;
/** Shorter values would blank ordinary words. */
const HIDDEN_MIN_LENGTH = 6;

/** The contract's log protocol on `write`, which must not lose lines when the process exits. */
export function createRunLog(write: (line: string) => void, now: () => number): RunLog {
  const hidden = new Set<string>();
  const mask = (text: string) => {
    let masked = text;
    for (const value of hidden) masked = masked.replaceAll(value, "[secret]");
    return masked;
  };
  return {
    log(level, message, fields = {}) {
      const line: Record<string, unknown> = { _log: true, level, msg: message };
      for (const [key, value] of Object.entries(fields)) {
        line[key] ??= typeof value === "string" ? mask(value) : value;
      }
      line.ts = now();
      write(`${JSON.stringify(line)}\n`);
    },
    print(text) {
      for (const line of mask(text).split(/\r?\n/))
        write(`${looksLikeLog(line) ? "> " : ""}${line}\n`);
    },
    hide(secrets) {
      for (const secret of secrets) {
        for (const line of secret.reveal().split("\n")) {
          if (line.trim().length >= HIDDEN_MIN_LENGTH) hidden.add(line.trim());
        }
      }
    },
  };
}

/** Text from a tool or a provider, cut to what one log line bears. */
export function quote(text: string): string {
  if (text.length <= QUOTE_LIMIT) return text;
  return `${text.slice(0, QUOTE_LIMIT)}… [${text.length} characters]`;
}

function looksLikeLog(line: string): boolean {
  const text = line.trim();
  if (!text.startsWith("{")) return false;
  try {
    return "_log" in JSON.parse(text);
  } catch {
    return false;
  }
}
