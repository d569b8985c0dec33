import { InvalidArgumentError, Option } from "commander";
import { parseSince } from "./since.ts";

/** What `--dev` does, for every command that has it. */
export const DEV = "that of `al dev` on this machine instead of the fleet's";

/** `--all`, for commands about the runtimes of hosts. */
export function allHosts(): Option {
  return new Option("--all", "all hosts").conflicts(["host", "label", "dev"]);
}

/** A count of at least 1. */
export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number above 0.");
}

/** A time for `--since`, in ms. */
export function sinceTime(text: string): number {
  const time = parseSince(text, Date.now());
  if (time !== undefined) return Math.max(0, Math.floor(time));
  throw new InvalidArgumentError(
    "It must be like 10m, 1h30m, 2d, 2026-01-31 or 2026-01-31T08:00Z.",
  );
}

/** A pattern for `--grep`. */
export function pattern(text: string): RegExp {
  const made = regularExpression(text);
  if (made) return made;
  throw new InvalidArgumentError("It must be a regular expression.");
}

function regularExpression(text: string): RegExp | undefined {
  try {
    return new RegExp(text, "u");
  } catch {
    return undefined;
  }
}
