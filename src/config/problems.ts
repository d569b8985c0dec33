import { printable } from "../base/printable.ts";
import { compareText } from "../core/fingerprint.ts";

/** Steps from a TOML document's root to a value: table keys and array indexes. */
export type KeyPath = readonly (string | number)[];

/** Something wrong, or doubtful, in a repository's file. */
export interface Problem {
  readonly file: string;
  /** 1-based. */
  readonly line?: number | undefined;
  /** As {@link formatKeyPath} writes it. */
  readonly keyPath?: string | undefined;
  readonly message: string;
  /** What to do, where the message does not say it. */
  readonly hint?: string | undefined;
}

/** Problems as plain text, one line each: `file:line: key.path: message (hint)`. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join("\n");
}

/** By file, line, key path and message, each problem once. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  const unique = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  return [...unique.values()].sort(
    (a, b) =>
      compareText(a.file, b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      compareText(a.keyPath ?? "", b.keyPath ?? "") ||
      compareText(a.message, b.message),
  );
}

/** `webhooks[0].source`; keys that are not bare are quoted. */
export function formatKeyPath(path: KeyPath): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      const key = /^[A-Za-z0-9_-]+$/.test(step) ? step : JSON.stringify(step);
      return index === 0 ? key : `.${key}`;
    })
    .join("");
}

function formatProblem({ file, line, keyPath, message, hint }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  const key = keyPath ? `${keyPath}: ` : "";
  return printable(`${place}: ${key}${message}${hint ? ` (${hint})` : ""}`);
}
