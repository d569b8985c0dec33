import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** What a runtime's log may take up: so many files of this size, and a line more in each. */
export interface RuntimeLogBounds {
  readonly fileBytes: number;
  readonly files: number;
}

const BOUNDS: RuntimeLogBounds = { fileBytes: 5 * 1024 * 1024, files: 4 };

/** Where a runtime writes its log; no agent has such a name. */
export function runtimeLogDirectory(projectDir: string): string {
  return join(projectDir, "logs", ".runtime");
}

/** A log's file by its number: the larger, the newer. */
export function runtimeLogFile(directory: string, number: number): string {
  return join(directory, `${number}.log`);
}

/** The numbers of the files that are there, oldest first. */
export function runtimeLogNumbers(directory: string): readonly number[] {
  const names = readdirSync(directory).map((name) => /^([1-9]\d{0,5})\.log$/.exec(name)?.[1]);
  return names.flatMap((text) => (text === undefined ? [] : [Number(text)])).sort((a, b) => a - b);
}

interface OpenFile {
  readonly number: number;
  readonly file: number;
  /** As it was opened, and what was written since. */
  bytes: number;
}

/**
 * Appends lines to files of bounded size and number, at once and in order; they survive this process,
 * and a host that crashes loses the last moments. Several runtimes may write at the same time, as while
 * one takes over from another; the file they share may then be twice as large. Never throws: a log that
 * cannot be written stops nobody.
 */
export class RuntimeLogFile {
  readonly #directory: string;
  readonly #bounds: RuntimeLogBounds;
  #open: OpenFile | undefined;

  constructor(directory: string, bounds = BOUNDS) {
    this.#directory = directory;
    this.#bounds = bounds;
  }

  /** `line` ends with its line break. */
  write(line: string): void {
    try {
      const room = this.#room();
      room.bytes += writeSync(room.file, line);
    } catch {
      this.close();
    }
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open) closeSync(open.file);
  }

  /** A file that is not full. */
  #room(): OpenFile {
    const open = this.#open;
    if (open && this.#hasRoom(open)) return open;
    this.close();
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const numbers = runtimeLogNumbers(this.#directory);
    const newest = this.#append(Math.max(numbers.at(-1) ?? 1, open?.number ?? 1));
    if (this.#hasRoom(newest)) return newest;
    this.close();
    const next = newest.number + 1;
    for (const number of numbers.filter((each) => each <= next - this.#bounds.files)) {
      rmSync(runtimeLogFile(this.#directory, number), { force: true });
    }
    return this.#append(next);
  }

  #hasRoom({ bytes }: OpenFile): boolean {
    return bytes < this.#bounds.fileBytes;
  }

  #append(number: number): OpenFile {
    const file = openSync(runtimeLogFile(this.#directory, number), "a+", 0o600);
    const opened = { number, file, bytes: fstatSync(file).size };
    this.#open = opened;
    // Whoever was killed in the middle of a line must not spoil the next one.
    if (!endsWithLine(opened)) opened.bytes += writeSync(file, "\n");
    return opened;
  }
}

function endsWithLine({ file, bytes }: OpenFile): boolean {
  const last = Buffer.alloc(1);
  return bytes === 0 || readSync(file, last, 0, 1, bytes - 1) === 0 || last[0] === 0x0a;
}
