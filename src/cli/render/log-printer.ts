import type { LogEvent } from "../../gateway/control-schema.ts";
import { logLines, outcomeLine } from "./log-line.ts";
import type { Output } from "./output.ts";

/** How log events are shown. */
export interface LogStyle {
  readonly host: string;
  /** Begins every line with the host's name: for logs of several hosts at once. */
  readonly prefixed: boolean;
}

/** Shows log events one by one. */
export function logPrinter(
  output: Output,
  { host, prefixed }: LogStyle,
): (event: LogEvent) => void {
  const prefix = prefixed ? `${host} | ` : "";
  return (event) => {
    output.record({ ...event, host });
    const lines = event.kind === "end" ? [outcomeLine(event.run)] : logLines(event);
    for (const line of lines) output.line(`${prefix}${line}`);
  };
}

/** True for the end of a run, and for lines in whose readable form the pattern occurs. */
export function matches(event: LogEvent, pattern: RegExp | undefined): boolean {
  if (pattern === undefined || event.kind === "end") return true;
  return pattern.test(logLines(event).join("\n"));
}
