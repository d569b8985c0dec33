import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { AlError, errnoOf } from "../base/errors.ts";
import { type GitVariables, gitEnvironment } from "./git-environment.ts";

/** How a git process is run. */
export interface GitOptions {
  /** A bare repository, passed as --git-dir; `cwd` finds any other. */
  readonly gitDir?: string | undefined;
  readonly cwd?: string | undefined;
  readonly variables?: GitVariables | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a finished git process left. */
export interface GitResult {
  readonly status: number;
  readonly stdout: Buffer;
  /** At most its last 64 KiB. */
  readonly stderr: string;
}

const KEPT_ERROR_BYTES = 64 * 1024;
const GRACE_MS = 2000;

/**
 * Runs git with these arguments and waits for its end; a non-zero status is a result, not an error.
 * An abort ends the whole process group, waits until it is gone and throws the signal's reason.
 */
export async function runGit(args: readonly string[], options: GitOptions): Promise<GitResult> {
  options.signal?.throwIfAborted();
  const child = spawnGit(args, options);
  const stop = () => stopGroup(child);
  options.signal?.addEventListener("abort", stop, { once: true });
  try {
    const [status, stdout, stderr] = await Promise.all([
      exitOf(child),
      collect(child.stdout as Readable, Number.POSITIVE_INFINITY),
      collect(child.stderr as Readable, KEPT_ERROR_BYTES),
    ]);
    options.signal?.throwIfAborted();
    return { status, stdout, stderr: stderr.toString("utf8") };
  } finally {
    options.signal?.removeEventListener("abort", stop);
  }
}

/** Starts git in a process group of its own, with standard input open. */
export function spawnGit(args: readonly string[], options: GitOptions): ChildProcess {
  const place = options.gitDir === undefined ? [] : [`--git-dir=${options.gitDir}`];
  return spawn("git", [...place, ...args], {
    cwd: options.cwd ?? options.gitDir,
    env: gitEnvironment(options.variables),
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
}

/** SIGTERM to the group, and SIGKILL to what is left of it after a moment. */
export function stopGroup(child: ChildProcess): void {
  signalGroup(child, "SIGTERM");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), GRACE_MS);
  child.once("exit", () => {
    clearTimeout(timer);
    signalGroup(child, "SIGKILL");
  });
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch (thrown) {
    if (errnoOf(thrown) !== "ESRCH") throw thrown;
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => reject(notStarted(cause)));
    child.once("close", (code) => resolve(code ?? 128));
    child.stdin?.on("error", () => {});
    child.stdin?.end();
  });
}

function notStarted(cause: Error): AlError {
  return new AlError(`git could not be started: ${cause.message}`, {
    code: "git-not-started",
    blame: "user",
    hint: "Install git, 2.36 or newer, and make sure that it is on PATH.",
    cause,
  });
}

async function collect(stream: Readable, keep: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    while (chunks.length > 1 && size - (chunks[0] as Buffer).length >= keep) {
      size -= (chunks.shift() as Buffer).length;
    }
  }
  return Buffer.concat(chunks);
}
