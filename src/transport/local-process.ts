import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { Readable, Writable } from "node:stream";
import { AlError, errnoOf } from "../base/errors.ts";
import { checkArgv } from "./quote.ts";
import { bufferedReadable, guarded } from "./streams.ts";
import type { ExecProcess } from "./transport.ts";

interface ProcessOptions {
  readonly host: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const GRACE_MS = 2000;

/**
 * Starts a program without a shell, in a process group of its own, so that ending it reaches its children.
 * A program that is missing (127) or may not be run (126) is a result, as it is with a shell.
 */
export async function startProcess(
  argv: readonly string[],
  options: ProcessOptions,
): Promise<ExecProcess> {
  checkArgv(argv);
  const [program = "", ...args] = argv;
  try {
    const child = spawn(program, args, {
      env: options.env,
      cwd: options.env.HOME ?? "/",
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    const started = once(child, "spawn");
    // Out of file descriptors there are no streams, only the error to come.
    const running = child.stdin ? attach(child, options.signal) : undefined;
    await started;
    if (running) return running;
    throw new Error("no streams");
  } catch (thrown) {
    return notStarted(program, options.host, thrown);
  }
}

function attach(child: Child, signal: AbortSignal | undefined): ExecProcess {
  const stdin = guarded(child.stdin);
  const stdout = bufferedReadable(child.stdout);
  const stderr = bufferedReadable(child.stderr);
  child.on("error", () => {});
  let over = false;
  const kill = () => {
    if (over) return;
    over = true;
    stdin.destroy();
    void endGroup(child);
  };
  const exited = new Promise<Awaited<ExecProcess["exited"]>>((resolve) => {
    child.once("close", (code, name) => {
      over = true;
      resolve({ code, signal: name });
    });
  });
  signal?.addEventListener("abort", kill, { once: true });
  void exited.then(() => signal?.removeEventListener("abort", kill));
  return { stdin, stdout, stderr, exited, kill };
}

/** TERM to the whole group, then KILL to what is left of it: the leader's exit says nothing of its children. */
async function endGroup(child: Child): Promise<void> {
  if (!signalGroup(child, "SIGTERM")) return;
  const deadline = performance.now() + GRACE_MS;
  while (performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (!signalGroup(child, 0)) return;
  }
  signalGroup(child, "SIGKILL");
}

/** False when the group is gone. */
function signalGroup(child: Child, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch {
    return false;
  }
}

function notStarted(program: string, host: string, thrown: unknown): ExecProcess {
  const errno = errnoOf(thrown);
  const code = EXIT_CODES[errno ?? ""];
  if (code === undefined) {
    throw new AlError(`host ${host}: ${program} could not be started: ${errno}`, {
      code: "spawn-failed",
      blame: errno === "E2BIG" ? "bug" : "transient",
      cause: thrown,
    });
  }
  const reason = code === 127 ? "No such file or directory" : "Permission denied";
  return {
    stdin: new Writable({ write: (_chunk, _encoding, done) => done() }),
    stdout: Readable.from([]),
    stderr: Readable.from([Buffer.from(`${program}: ${reason}\n`)]),
    exited: Promise.resolve({ code, signal: null }),
    kill() {},
  };
}

/** What a POSIX shell exits with when it cannot run a program. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  ENOENT: 127,
  ENOTDIR: 127,
  EACCES: 126,
  ENOEXEC: 126,
};
