import { AlError } from "../base/errors.ts";
import type { ExecOptions, ExecResult, Transport } from "./transport.ts";

interface FileScript extends ExecOptions {
  /** For messages: `write`, `remove`. */
  readonly verb: string;
  /** The path that messages name. */
  readonly path: string;
  readonly script: string;
  /** The script's `$1`, `$2` and so on: paths and sizes, never content. */
  readonly args: readonly string[];
}

/**
 * Runs a POSIX shell script on the host, in one round trip.
 * @throws AlError `disk-full` (user), `file-access` (user) or `file-failed` (transient), naming host and path.
 */
export async function runFileScript(transport: Transport, task: FileScript): Promise<ExecResult> {
  const { script, args, verb, path, ...options } = task;
  const result = await transport.exec(["sh", "-c", script, "sh", ...args], options);
  if (result.code !== 0) throw fileError(transport.host, { verb, path }, result);
  return result;
}

/** The error for a file operation that failed, judged by what it printed (in the C locale). */
export function fileError(
  host: string,
  what: { readonly verb: string; readonly path: string },
  result: Pick<ExecResult, "code" | "signal" | "stderr">,
): AlError {
  const printed = result.stderr.toString("utf8").trim();
  const failed = `host ${host}: cannot ${what.verb} ${what.path}`;
  if (/No space left on device|Disk quota exceeded/.test(printed)) {
    return new AlError(`${failed}: the disk is full`, {
      code: "disk-full",
      blame: "user",
      hint: `Free some space on ${host}; what was there before is untouched.`,
    });
  }
  const reason =
    printed.split("\n")[0]?.slice(0, 300) || `ended by ${result.signal ?? `exit ${result.code}`}`;
  if (/Permission denied|Read-only file system|Operation not permitted|not found/.test(printed)) {
    return new AlError(`${failed}: ${reason}`, {
      code: "file-access",
      blame: "user",
      hint: `Check who owns ${what.path} on ${host}, and that sh, tar, find and coreutils are there.`,
    });
  }
  return new AlError(`${failed}: ${reason}`, { code: "file-failed", blame: "transient" });
}
