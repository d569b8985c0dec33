import { type FileHandle, open } from "node:fs/promises";
import { errnoOf } from "../base/errors.ts";
import type { LogLine, LogsPort } from "../gateway/ports.ts";
import { decodeLine, logPath } from "./run-log-file.ts";

const BATCH_BYTES = 64 * 1024;
/** More than any stored line. */
const MAX_READ_BYTES = 2 * 1024 * 1024;

/** The logs below a project's directory. */
export function runLogs(projectDir: string): LogsPort {
  return {
    async read(run, cursor) {
      const lines = await withFile(logPath(projectDir, run), (file) => readLines(file, cursor));
      return lines ?? [];
    },
    async tail(run, lines) {
      const start = await withFile(logPath(projectDir, run), (file) => tailStart(file, lines));
      return start ?? 0;
    },
  };
}

/** Reads more at once until at least one line is complete. */
async function readLines(file: FileHandle, cursor: number): Promise<LogLine[]> {
  for (let size = BATCH_BYTES; size <= MAX_READ_BYTES; size *= 2) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, cursor);
    const found = buffer.subarray(0, bytesRead);
    const end = found.lastIndexOf(0x0a) + 1;
    if (end > 0) return [...decodeLines(found.subarray(0, end), cursor)];
    if (bytesRead < size) return [];
  }
  return [];
}

function* decodeLines(bytes: Buffer, cursor: number): Generator<LogLine> {
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    const line = decodeLine(bytes.subarray(start, end));
    start = end + 1;
    // A cursor inside a line gives half a line first, which is left out.
    if (line) yield { ...line, text: line.text.toString("utf8"), cursor: cursor + start };
  }
}

async function tailStart(file: FileHandle, lines: number): Promise<number> {
  let { size: start } = await file.stat();
  if (lines === 0) return start;
  let seen = 0;
  while (start > 0) {
    const length = Math.min(BATCH_BYTES, start);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, start - length);
    for (let at = buffer.lastIndexOf(0x0a); at >= 0; at = previousNewline(buffer, at)) {
      // The first one found ends the last line.
      if (seen === lines) return start - length + at + 1;
      seen += 1;
    }
    start -= length;
  }
  return 0;
}

/** A negative offset would count from the end. */
function previousNewline(buffer: Buffer, at: number): number {
  return at === 0 ? -1 : buffer.lastIndexOf(0x0a, at - 1);
}

async function withFile<T>(
  path: string,
  work: (file: FileHandle) => Promise<T>,
): Promise<T | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}
