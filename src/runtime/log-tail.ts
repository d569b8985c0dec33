import { type FileHandle, open } from "node:fs/promises";
import { errnoOf } from "../base/errors.ts";

const BATCH_BYTES = 64 * 1024;

/** Where the last lines of a file begin: a byte position, and how many there are. */
export interface Tail {
  readonly start: number;
  readonly lines: number;
}

/** Finds the last `lines` complete lines, or all where there are fewer. */
export async function tailOf(file: FileHandle, lines: number): Promise<Tail> {
  let { size: start } = await file.stat();
  let seen = 0;
  while (start > 0) {
    const length = Math.min(BATCH_BYTES, start);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, start - length);
    for (let at = buffer.lastIndexOf(0x0a); at >= 0; at = previousNewline(buffer, at)) {
      // The first one found ends the last line.
      if (seen === lines) return { start: start - length + at + 1, lines };
      seen += 1;
    }
    start -= length;
  }
  return { start: 0, lines: seen };
}

/** A negative offset would count from the end. */
function previousNewline(buffer: Buffer, at: number): number {
  return at === 0 ? -1 : buffer.lastIndexOf(0x0a, at - 1);
}

/** Works on a file that is open for reading; undefined where there is none. */
export async function withFile<T>(
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
