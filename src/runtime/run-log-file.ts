import { mkdir, open, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import type { Run } from "../core/run.ts";

/** A line of a run's log file: `<ts> <stream> <bytes as they came>`. */
export interface StoredLine {
  /** RFC 3339 with nanoseconds. */
  readonly ts: string;
  readonly stream: "stdout" | "stderr" | "runtime";
  readonly text: Buffer;
}

/** A run's log file, open for writing at its end. */
export interface RunLogWriter {
  /** The last line's time, and how many stored lines carry it: where to go on. */
  readonly last: { readonly ts: string; readonly count: number } | undefined;
  /** False when the log is as long as it may be; what does not fit is dropped, and a last line says so. */
  append(lines: readonly StoredLine[]): Promise<boolean>;
  close(): Promise<void>;
}

/** A run's log keeps this many bytes. */
export const MAX_LOG_BYTES = 16 * 1024 * 1024;
/** The remark that ends a log that was cut. */
export const CUT_REMARK = "the log is cut here: a run's log keeps 16 MiB";

const NEWLINE = Buffer.from("\n");
const CUT_LINE = Buffer.from(` runtime ${CUT_REMARK}\n`);

/** Where a run's log lies. */
export function logPath(projectDir: string, run: Pick<Run, "agent" | "id">): string {
  return join(projectDir, "logs", run.agent, `${run.id}.log`);
}

/** Opens a log for appending; half a line at its end, left by a crash, is removed. */
export async function openRunLog(path: string): Promise<RunLogWriter> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const content = await readFile(path).catch((thrown) => {
    if (errnoOf(thrown) === "ENOENT") return Buffer.alloc(0);
    throw thrown;
  });
  const file = await open(path, "a", 0o600);
  let size = content.lastIndexOf(0x0a) + 1;
  if (size < content.length) await file.truncate(size);
  const last = lastTime(content.subarray(0, size));
  let full = content.subarray(0, size).subarray(-CUT_LINE.length).equals(CUT_LINE);
  return {
    last,
    async append(lines) {
      const parts: Buffer[] = [];
      for (const line of lines) {
        if (full) break;
        const bytes = encodeLine(line);
        full = size + bytes.length > MAX_LOG_BYTES;
        const kept = full
          ? encodeLine({ ts: line.ts, stream: "runtime", text: Buffer.from(CUT_REMARK) })
          : bytes;
        parts.push(kept);
        size = full ? MAX_LOG_BYTES : size + kept.length;
      }
      if (parts.length > 0) await file.appendFile(Buffer.concat(parts));
      return !full;
    },
    close: () => file.close(),
  };
}

/** Reads one stored line without its line break; undefined for what is none. */
export function decodeLine(bytes: Buffer): StoredLine | undefined {
  const first = bytes.indexOf(0x20);
  const second = bytes.indexOf(0x20, first + 1);
  if (first < 1 || second < 0) return undefined;
  const stream = bytes.toString("latin1", first + 1, second);
  if (stream !== "stdout" && stream !== "stderr" && stream !== "runtime") return undefined;
  return { ts: bytes.toString("latin1", 0, first), stream, text: bytes.subarray(second + 1) };
}

function encodeLine({ ts, stream, text }: StoredLine): Buffer {
  return Buffer.concat([Buffer.from(`${ts} ${stream} `), text, NEWLINE]);
}

function lastTime(content: Buffer): RunLogWriter["last"] {
  let end = content.length - 1;
  let ts: string | undefined;
  let count = 0;
  while (end > 0) {
    const start = content.lastIndexOf(0x0a, end - 1) + 1;
    const line = decodeLine(content.subarray(start, end));
    if (ts !== undefined && line?.ts !== ts) break;
    ts = line?.ts;
    if (ts === undefined) break;
    count += 1;
    end = start - 1;
  }
  return ts === undefined ? undefined : { ts, count };
}
