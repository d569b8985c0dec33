import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readOptional } from "./read-optional.ts";

/** What the agent asked for with al-rerun, al-status, al-return and al-exit. */
export interface Signals {
  readonly rerun: boolean;
  readonly status: string | undefined;
  readonly returnValue: string | undefined;
  /** The code given to al-exit; 15 where that is none of those an agent may choose. */
  readonly exitCode: number | undefined;
  /** What was given to al-exit instead of such a code. */
  readonly unknownExit?: string;
}

/** What al-exit may give: done, error, and the reasons that the prompt lists. */
const EXIT_CODES = ["0", "1", "10", "11", "12", "13", "14", "15", "16"];
const UNRECOVERABLE = 15;

/** What decides a run's exit code. */
export interface RunEnd extends Signals {
  /** The code of a run that was ended early (1 after unrecoverable errors, 124, 143). */
  readonly abortCode: number | undefined;
}

/** Abort, then exit, then rerun, then return: the first that happened decides. */
export function exitCodeOf(end: RunEnd): number {
  return end.abortCode ?? end.exitCode ?? (end.rerun ? 42 : 0);
}

/** Reads the signal files as they stand. */
export async function readSignals(directory: string): Promise<Signals> {
  const [rerun, status, returnValue, exit] = await Promise.all(
    ["rerun", "status", "return", "exit"].map((name) => readOptional(join(directory, name))),
  );
  return {
    rerun: rerun !== undefined,
    status: status?.replace(/\n$/, ""),
    returnValue: returnValue?.replace(/\n$/, ""),
    ...exitOf(exit?.trim()),
  };
}

/**
 * Calls `onChange` whenever status or exit change, until stopped. Looks five times a second:
 * the directory lies in memory, and inotify may be used up on a busy host.
 */
export async function watchSignals(
  directory: string,
  onChange: (signals: Signals) => void,
): Promise<() => void> {
  await mkdir(directory, { recursive: true });
  let last = "";
  let reading = false;
  const look = async () => {
    if (reading) return;
    reading = true;
    try {
      const signals = await readSignals(directory);
      const seen = JSON.stringify([signals.status, signals.exitCode]);
      if (seen !== last) onChange(signals);
      last = seen;
    } catch {
      // A file that cannot be read now is looked at again, and read once more at the end.
    } finally {
      reading = false;
    }
  };
  last = JSON.stringify([undefined, undefined]);
  const timer = setInterval(() => void look(), 200);
  return () => clearInterval(timer);
}

/** Other codes have a meaning of their own: 42 is a rerun, 124 a timeout, above 128 a signal. */
function exitOf(text: string | undefined): Pick<Signals, "exitCode" | "unknownExit"> {
  if (text === undefined) return { exitCode: undefined };
  if (EXIT_CODES.includes(text)) return { exitCode: Number(text) };
  return { exitCode: UNRECOVERABLE, unknownExit: text.slice(0, 100) };
}
