import type { AlError } from "../../base/errors.ts";

/** Where a command's words go: results to standard output, everything else to standard error. */
export interface Output {
  readonly json: boolean;
  /** A line of result for a person; nothing in JSON mode. */
  line(text: string): void;
  /** A line of result for a machine; nothing in text mode. */
  record(value: unknown): void;
  /** Progress for a person, on standard error; nothing in JSON mode. */
  progress(text: string): void;
  /** A failure: message and hint for a person, an object for a machine. */
  fail(error: AlError): void;
}

/** The two streams, as much of them as is needed. */
export interface Streams {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
}

/** An output in text or JSON mode. */
export function createOutput(json: boolean, { out, err }: Streams): Output {
  return {
    json,
    line: (text) => {
      if (!json) out.write(`${text}\n`);
    },
    record: (value) => {
      if (json) out.write(`${JSON.stringify(value)}\n`);
    },
    progress: (text) => {
      if (!json) err.write(`${text}\n`);
    },
    fail: (error) => {
      if (json) out.write(`${JSON.stringify({ kind: "error", ...errorRecord(error) })}\n`);
      else err.write(`${errorText(error)}\n`);
    },
  };
}

/** `error: MESSAGE`, and what to do about it on the next line. */
export function errorText(error: AlError): string {
  const ours = error.blame === "bug" ? " (this is a bug in al: please report it)" : "";
  return `error: ${error.message}${ours}${error.hint ? `\n  ${error.hint}` : ""}`;
}

/** The same for machines. */
export function errorRecord(error: AlError): Record<string, unknown> {
  const { code, message, blame, hint } = error;
  return { code, message, blame, ...(hint === undefined ? {} : { hint }) };
}
