import type { OutputChunk } from "../docker/output-frames.ts";
import type { StoredLine } from "./run-log-file.ts";

/** The engine cuts longer lines into messages of this size, each with a time of its own. */
const MESSAGE_BYTES = 16 * 1024;
/** `2026-01-02T03:04:05.123456789Z ` */
const STAMP_BYTES = 31;
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z $/;
/** Longer lines are stored in pieces. */
const MAX_LINE_BYTES = 1024 * 1024;

/** Puts an engine's timestamped output together to lines, each with its first message's time. */
export class LogLines {
  readonly #streams = { stdout: new StreamLines("stdout"), stderr: new StreamLines("stderr") };

  /** Lines that are complete after this chunk. */
  push(chunk: OutputChunk): StoredLine[] {
    return this.#streams[chunk.stream].push(chunk.bytes);
  }

  /** What is left at the end of the output. */
  end(): StoredLine[] {
    return [...this.#streams.stdout.end(), ...this.#streams.stderr.end()];
  }
}

class StreamLines {
  readonly #stream: OutputChunk["stream"];
  #stamp: Buffer | undefined = Buffer.alloc(0);
  #messageBytes = 0;
  #ts = "";
  #parts: Buffer[] = [];
  #lineBytes = 0;

  constructor(stream: OutputChunk["stream"]) {
    this.#stream = stream;
  }

  push(bytes: Buffer): StoredLine[] {
    const lines: StoredLine[] = [];
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#stamp) {
        rest = this.#readStamp(this.#stamp, rest);
        continue;
      }
      const newline = rest.indexOf(0x0a);
      const room = MESSAGE_BYTES - this.#messageBytes;
      const length = Math.min(newline < 0 ? rest.length : newline, room);
      this.#take(rest.subarray(0, length));
      if (length === newline) {
        lines.push(this.#line());
        this.#ts = "";
        this.#stamp = Buffer.alloc(0);
      } else if (length === room) this.#stamp = Buffer.alloc(0);
      if (this.#lineBytes >= MAX_LINE_BYTES) lines.push(this.#line());
      rest = rest.subarray(length === newline ? length + 1 : length);
    }
    return lines;
  }

  end(): StoredLine[] {
    return this.#lineBytes > 0 ? [this.#line()] : [];
  }

  /** Returns what follows the stamp. Text that is no stamp belongs to the line. */
  #readStamp(begun: Buffer, bytes: Buffer): Buffer {
    const stamp = Buffer.concat([begun, bytes.subarray(0, STAMP_BYTES - begun.length)]);
    const rest = bytes.subarray(stamp.length - begun.length);
    if (stamp.length < STAMP_BYTES) {
      this.#stamp = stamp;
      return rest;
    }
    this.#stamp = undefined;
    this.#messageBytes = 0;
    const text = stamp.toString("latin1");
    if (!STAMP.test(text)) return Buffer.concat([stamp, rest]);
    if (this.#ts === "") this.#ts = text.slice(0, -1);
    return rest;
  }

  #take(bytes: Buffer): void {
    this.#messageBytes += bytes.length;
    this.#lineBytes += bytes.length;
    // A copy: the chunk's memory is the connection's.
    this.#parts.push(Buffer.from(bytes));
  }

  #line(): StoredLine {
    const text = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#lineBytes = 0;
    return { ts: this.#ts, stream: this.#stream, text };
  }
}
