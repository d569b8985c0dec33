import { createInterface } from "node:readline";
import { AlError } from "../base/errors.ts";
import type { ExecProcess, Transport } from "../transport/transport.ts";
import { LOCK_SCRIPT } from "./lock-script.ts";

/** Times of the host lock, in seconds. */
export interface LockTimes {
  /** Wait for another holder. Default 300. */
  readonly waitSeconds?: number;
  /** A holder this long silent has lost it. Default 20. */
  readonly silenceSeconds?: number;
}

/**
 * What is killed before a silent holder's lock is freed: its SSH `session`, or, where the host is the
 * machine we run on, the `parent` process itself.
 */
export type LockFence = "session" | "parent";

/** What taking the lock is given. */
export interface LockOptions extends LockTimes {
  readonly project: string;
  /** Written into the lock file, for whoever waits: `al apply, pid 7 on laptop`. */
  readonly holder: string;
  /** Default `session`. */
  readonly fence?: LockFence | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A held lock: `signal` fires when it is lost. */
export interface HeldLock {
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

/**
 * Takes the project's lock on a host and keeps it alive. The lock lives in an exec on this
 * connection: when the connection dies, so do the lock and everything it could have been used for.
 * @throws AlError `host-locked`, naming the holder, when the wait is over.
 */
export async function takeLock(transport: Transport, options: LockOptions): Promise<HeldLock> {
  const { project, holder, waitSeconds = 300, silenceSeconds = 20, signal } = options;
  const { fence = "session" } = options;
  const times = [String(waitSeconds), String(silenceSeconds)];
  const name = holder.replace(/[^\x20-\x7e]/g, " ").slice(0, 200);
  const argv = ["sh", "-c", LOCK_SCRIPT, "lock", project, name, ...times, fence];
  const process = await transport.spawn(argv, { signal });
  const ended = new AbortController();
  const end = (reason: Error) => ended.abort(reason);
  process.exited.then(() => end(lostError(transport.host)), end);
  process.stdin.on("error", end);
  process.stderr.resume();
  await answered(process, { host: transport.host, ended: ended.signal });
  const beat = setInterval(() => process.stdin.write("h"), (silenceSeconds * 1000) / 4);
  ended.signal.addEventListener("abort", () => clearInterval(beat), { once: true });
  return {
    signal: ended.signal,
    async release() {
      clearInterval(beat);
      if (!ended.signal.aborted) process.stdin.end("r");
      await process.exited.catch(() => {});
    },
  };
}

/** Reads the script's words: `waiting HOLDER` when it must wait, then `locked` or `busy HOLDER`. */
async function answered(
  process: ExecProcess,
  { host, ended }: { host: string; ended: AbortSignal },
): Promise<void> {
  const lines = createInterface({ input: process.stdout });
  // It passes on the stream's errors for as long as the stream lives, long after the loop is over.
  lines.on("error", () => {});
  let last = "";
  for await (const line of lines) {
    last = line;
    if (!line.startsWith("waiting ")) break;
  }
  // Leaving the loop paused the stream; paused, it would keep `exited` from resolving.
  process.stdout.resume();
  if (last === "locked") return;
  if (last.startsWith("busy ")) throw lockedError(host, last.slice(5).trim());
  ended.throwIfAborted();
  throw lostError(host);
}

function lockedError(host: string, holder: string): AlError {
  return new AlError(`host ${host} is being changed by ${holder || "another controller"}`, {
    code: "host-locked",
    blame: "transient",
    hint: "Wait until it has finished; a lock ends with its holder and needs no unlocking.",
  });
}

function lostError(host: string): AlError {
  return new AlError(`host ${host}: the host lock was lost`, {
    code: "lock-lost",
    blame: "transient",
  });
}
