import type { FileHandle } from "node:fs/promises";
import { z } from "zod";
import { errnoOf } from "../base/errors.ts";
import type { RuntimeLogLine, RuntimeLogPort } from "../gateway/ports.ts";
import { tailOf, withFile } from "./log-tail.ts";
import { runtimeLogDirectory, runtimeLogFile, runtimeLogNumbers } from "./runtime-log-file.ts";

const BATCH_BYTES = 64 * 1024;
/** Longer lines are left out. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;
/** A cursor is a file's number, and a position in it. */
const FILE_SPAN = 2 ** 32;

const LEVELS: Readonly<Record<number, RuntimeLogLine["level"]>> = {
  ...{ 10: "debug", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "error" },
};

/** What pino writes. */
const WrittenLine = z.looseObject({ level: z.number(), time: z.number(), msg: z.string() });

/** The log of a project's runtimes, oldest line first. */
export function runtimeLog(projectDir: string): RuntimeLogPort {
  const directory = runtimeLogDirectory(projectDir);
  return {
    async read(cursor) {
      const from = Math.floor(cursor / FILE_SPAN);
      for (const number of numbersIn(directory)) {
        if (number < from) continue;
        const position = number === from ? cursor % FILE_SPAN : 0;
        const path = runtimeLogFile(directory, number);
        const lines = await withFile(path, (file) => readFrom(file, number, position));
        if (lines && lines.length > 0) return lines;
      }
      return [];
    },
    async tail(wanted) {
      let left = wanted;
      for (const number of numbersIn(directory).toReversed()) {
        const path = runtimeLogFile(directory, number);
        const tail = await withFile(path, (file) => tailOf(file, left));
        left -= tail?.lines ?? 0;
        if (tail && left === 0) return number * FILE_SPAN + tail.start;
      }
      return 0;
    },
  };
}

function numbersIn(directory: string): readonly number[] {
  try {
    return runtimeLogNumbers(directory);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return [];
    throw thrown;
  }
}

/** Complete lines, not all at once; empty at the file's present end. */
async function readFrom(
  file: FileHandle,
  number: number,
  position: number,
): Promise<RuntimeLogLine[]> {
  for (let at = position, size = BATCH_BYTES; size <= MAX_LINE_BYTES; size *= 2) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, at);
    const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
    const lines = end === 0 ? [] : readLines(buffer.subarray(0, end), number * FILE_SPAN + at);
    if (lines.length > 0 || bytesRead < size) return lines;
    // What is there is no line of ours: go on after it.
    if (end > 0) [at, size] = [at + end, BATCH_BYTES / 2];
  }
  return [];
}

function readLines(bytes: Buffer, cursor: number): RuntimeLogLine[] {
  const lines: RuntimeLogLine[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    const line = readLine(bytes.toString("utf8", start, end));
    start = end + 1;
    if (line) lines.push({ ...line, cursor: cursor + start });
  }
  return lines;
}

function readLine(text: string): Omit<RuntimeLogLine, "cursor"> | undefined {
  try {
    const { level, time, msg, ...fields } = WrittenLine.parse(JSON.parse(text));
    return { level: LEVELS[level] ?? "info", time, message: msg, fields };
  } catch {
    return undefined;
  }
}
