import type { AlError } from "../../base/errors.ts";
import { printableJson, printableLines } from "../../base/printable.ts";
import { createLiveRegion, type LiveRegion, type Terminal } from "./live-region.ts";

/**
 * Where a command's words go: results to standard output, everything else to standard error. Whoever wrote
 * a part of them, a terminal obeys nothing in them.
 */
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
  /** Where lines may be redrawn: only for a person on a terminal. Everything else goes above it. */
  readonly region?: LiveRegion | undefined;
}

/** The two streams, as much of them as is needed. */
export interface Streams {
  readonly out: { write(text: string): unknown };
  readonly err: Terminal & { readonly isTTY?: boolean };
}

/** An output in text or JSON mode. */
export function createOutput(json: boolean, { out, err }: Streams): Output {
  const region = !json && err.isTTY ? createLiveRegion(err) : undefined;
  const write = (to: Streams["out"], text: string) => {
    if (region) region.above(() => to.write(text));
    else to.write(text);
  };
  return {
    json,
    region,
    line: (text) => {
      if (!json) write(out, `${shown(text)}\n`);
    },
    record: (value) => {
      if (json) write(out, `${printableJson(value)}\n`);
    },
    progress: (text) => {
      if (!json) write(err, `${shown(text)}\n`);
    },
    fail: (error) => {
      if (json) write(out, `${printableJson({ kind: "error", ...errorRecord(error) })}\n`);
      else write(err, `${errorText(error)}\n`);
    },
  };
}

/** `error: MESSAGE`, and what to do about it on the next line. */
export function errorText(error: AlError): string {
  const ours = error.blame === "bug" ? " (this is a bug in al: please report it)" : "";
  return shown(`error: ${error.message}${ours}${error.hint ? `\n  ${error.hint}` : ""}`);
}

function shown(text: string): string {
  return printableLines(text).join("\n");
}

/** The same for machines. */
export function errorRecord(error: AlError): Record<string, unknown> {
  const { code, message, blame, hint } = error;
  return { code, message, blame, ...(hint === undefined ? {} : { hint }) };
}
