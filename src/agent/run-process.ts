import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { AlError } from "../base/errors.ts";

/** A program to run to its end. */
export interface ProcessRequest {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** Takes standard output; it is replaced, and removed again when the program fails. */
  readonly output?: string | undefined;
  readonly signal: AbortSignal;
}

const SHOWN_BYTES = 16_384;

/**
 * Runs a program with the environment of this one and gives the end of its standard output, where
 * no file takes that. Ends when the program does, also if something it started goes on in the
 * background; on abort all of it is killed.
 * @throws AlError `process-failed` (user) with the end of its standard error.
 */
export async function runProcess({ argv, cwd, output, signal }: ProcessRequest): Promise<string> {
  // Files instead of pipes: a background process neither keeps us waiting nor loses its output.
  const logs = await mkdtemp(join(cwd, ".al-step-"));
  const [out, err] = [await openNew(output ?? join(logs, "out")), await openNew(join(logs, "err"))];
  try {
    const [program, ...args] = argv;
    const stdio = ["ignore", out.fd, err.fd] as const;
    const end = await ended(
      spawn(program, args, { cwd, stdio: [...stdio], detached: true }),
      signal,
    );
    if (end !== "exit 0") throw failed(program, end, await tail(err));
    return output === undefined ? await tail(out) : "";
  } catch (thrown) {
    if (output !== undefined) await rm(output, { force: true });
    throw thrown;
  } finally {
    await Promise.all([out.close(), err.close(), rm(logs, { recursive: true, force: true })]);
  }
}

/** Opens a file for a result; a link in its place is refused. */
export function openNew(path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  return open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644);
}

function ended(child: ChildProcess, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has just ended by itself.
      }
    };
    signal.addEventListener("abort", kill, { once: true });
    child.once("error", reject);
    child.once("exit", (code, killedBy) => {
      signal.removeEventListener("abort", kill);
      resolve(killedBy ? `signal ${killedBy}` : `exit ${code}`);
    });
    if (signal.aborted) kill();
  });
}

async function tail(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const length = Math.min(size, SHOWN_BYTES);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString("utf8", 0, bytesRead).trimEnd();
}

function failed(program: string, end: string, stderr: string): AlError {
  return new AlError(`${program} ended with ${end}${stderr === "" ? "" : `: ${stderr}`}`, {
    code: "process-failed",
    blame: "user",
  });
}
