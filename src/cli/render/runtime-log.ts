import { printable } from "../../base/printable.ts";
import type { RuntimeLogEvent } from "../../gateway/control-schema.ts";
import { fieldText } from "./log-line.ts";
import { timeText } from "./table.ts";

/** A line of a runtime's own log for a person: when, how grave, what, and the facts beside it. */
export function runtimeLogLine({ time, level, message, fields }: RuntimeLogEvent): string {
  const facts = Object.entries(fields).map(([name, value]) => ` ${name}=${fieldText(value)}`);
  const mark = level === "info" ? "" : `${level}: `;
  return printable(`${timeText(time)}  ${mark}${message}${facts.join("")}`);
}
