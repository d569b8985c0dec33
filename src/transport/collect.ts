import { finished, Readable, type Writable } from "node:stream";
import { type CallOptions, withDeadline } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { ExecOptions, ExecProcess, ExecResult } from "./transport.ts";

type Spawn = (argv: readonly string[], options: CallOptions) => Promise<ExecProcess>;

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
const DEFAULT_MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * `exec` in terms of `spawn`, for every transport: feeds the input, collects the output, and ends the
 * command when the caller aborts, the time is up, the input fails or the output grows too large.
 */
export async function execThrough(
  spawn: Spawn,
  argv: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, stdin } = options;
  try {
    return await withDeadline(`run ${argv[0]}`, { timeoutMs, signal }, async (bounded) => {
      const running = await spawn(argv, { signal: bounded });
      try {
        return await collect(running, options);
      } catch (thrown) {
        running.kill();
        throw thrown;
      }
    });
  } finally {
    if (stdin instanceof Readable) stdin.destroy();
  }
}

async function collect(running: ExecProcess, options: ExecOptions): Promise<ExecResult> {
  const { stdin, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES } = options;
  const [stdout, stderr, exit] = await Promise.all([
    gather(running.stdout, maxOutputBytes),
    gather(running.stderr, maxOutputBytes),
    running.exited,
    feed(running.stdin, stdin, running.exited),
  ]);
  return { ...exit, stdout, stderr };
}

function gather(stream: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) return void chunks.push(chunk);
      chunks.length = 0;
      reject(tooLarge(maxBytes));
    });
    stream.once("end", () => resolve(Buffer.concat(chunks, bytes)));
    stream.once("error", reject);
  });
}

/** Resolves when the input was written or no longer matters; rejects only when its source fails. */
async function feed(
  target: Writable,
  source: ExecOptions["stdin"],
  exited: Promise<unknown>,
): Promise<void> {
  if (!(source instanceof Readable)) {
    target.end(source);
    return;
  }
  const sourceEnded = new Promise<void>((resolve, reject) => {
    finished(source, { writable: false }, (error) => (error ? reject(error) : resolve()));
  });
  source.pipe(target);
  await Promise.race([sourceEnded, exited]);
}

function tooLarge(maxBytes: number): AlError {
  return new AlError(`a command printed more than ${maxBytes} bytes`, {
    code: "output-too-large",
    blame: "terminal",
  });
}
