import type { FileHandle } from "node:fs/promises";
import type { LogLine, LogsPort } from "../gateway/ports.ts";
import { tailOf, withFile } from "./log-tail.ts";
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
      const tail = await withFile(logPath(projectDir, run), (file) => tailOf(file, lines));
      return tail?.start ?? 0;
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
