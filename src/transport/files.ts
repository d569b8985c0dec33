import { randomUUID } from "node:crypto";
import { posix } from "node:path";
import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { fileError, runFileScript } from "./file-script.ts";
import { REMOVE, SWEEP, WRITE_FILE, WRITE_TREE } from "./file-scripts.ts";
import { checkBelow, checkRemotePath } from "./remote-path.ts";
import type { Transport } from "./transport.ts";
import { archiveTree, type TreeEntry } from "./tree-archive.ts";

/**
 * Makes `dir` on the host hold exactly these files, in one round trip; idempotent.
 *
 * The tree is unpacked beside `dir`, checked to be complete, written to disk and moved into place.
 * An older `dir` is moved aside first and deleted last, so whatever interrupts this, `dir` is the old
 * tree, the new one or, between two renames, absent; never a part of one.
 *
 * @throws AlError `disk-full`, `file-access`, `file-failed`; what is then left over is a `.tmp-*` at most.
 */
export async function writeTree(
  transport: Transport,
  dir: string,
  entries: readonly TreeEntry[],
  options: CallOptions = {},
): Promise<void> {
  checkRemotePath(dir);
  const parent = posix.dirname(dir);
  await runFileScript(transport, {
    ...options,
    verb: "write",
    path: dir,
    script: WRITE_TREE,
    args: [parent, dir, posix.join(parent, `.tmp-${randomUUID()}`)],
    stdin: archiveTree(entries),
  });
}

/** Options of {@link writeFileAtomic}. */
export interface WriteFileOptions extends CallOptions {
  /** Permission bits. Default 0o600. Missing parent directories are made with 0o700. */
  readonly mode?: number | undefined;
}

/**
 * Replaces one file whole, in one round trip: temporary file beside it, fsync, rename; idempotent.
 * @throws AlError `disk-full`, `file-access`, `file-failed`; the old file then stands untouched.
 */
export async function writeFileAtomic(
  transport: Transport,
  path: string,
  content: Uint8Array | Secret,
  options: WriteFileOptions = {},
): Promise<void> {
  checkRemotePath(path);
  const { mode = 0o600, ...call } = options;
  const bytes = content instanceof Secret ? content.revealBytes() : content;
  const parent = posix.dirname(path);
  await runFileScript(transport, {
    ...call,
    verb: "write",
    path,
    script: WRITE_FILE,
    args: [
      parent,
      path,
      posix.join(parent, `.tmp-${randomUUID()}`),
      mode.toString(8),
      `${bytes.byteLength}`,
    ],
    stdin: bytes,
  });
}

/** Options of {@link readFile}. */
export interface ReadFileOptions extends CallOptions {
  /** A larger file fails with `output-too-large`. Default 16 MiB. */
  readonly maxBytes?: number | undefined;
}

/**
 * A file's bytes, or undefined when there is no such file; one that cannot be read is an error.
 * @throws AlError `file-access`, `file-failed`, `output-too-large`.
 */
export async function readFile(
  transport: Transport,
  path: string,
  options: ReadFileOptions = {},
): Promise<Buffer | undefined> {
  checkRemotePath(path);
  const { maxBytes = 16 * 1024 * 1024, ...call } = options;
  const result = await transport.exec(
    ["env", "LC_ALL=C", "head", "-c", `${maxBytes + 1}`, "--", path],
    { ...call, maxOutputBytes: maxBytes + 1 },
  );
  if (result.code === 0 && result.stdout.byteLength <= maxBytes) return result.stdout;
  if (result.code === 0) {
    throw new AlError(`host ${transport.host}: ${path} is larger than ${maxBytes} bytes`, {
      code: "output-too-large",
      blame: "terminal",
    });
  }
  const missing = result.stderr.toString("utf8").trimEnd().endsWith(": No such file or directory");
  if (missing) return undefined;
  throw fileError(transport.host, { verb: "read", path }, result);
}

/** Options of {@link removePaths}. */
export interface RemoveOptions extends CallOptions {
  /** Everything that is removed lies below this directory, also after following symbolic links. */
  readonly root: string;
}

/**
 * Deletes files and directories below `root`; what is missing is fine, symbolic links are not followed.
 * @throws AlError `path-invalid` before anything is deleted; `file-access`, `file-failed`.
 */
export async function removePaths(
  transport: Transport,
  paths: readonly string[],
  options: RemoveOptions,
): Promise<void> {
  const { root, ...call } = options;
  for (const path of paths) checkBelow(root, path);
  for (const args of batches(paths)) {
    await runFileScript(transport, {
      ...call,
      verb: "remove paths below",
      path: root,
      script: REMOVE,
      args: [root, ...args],
    });
  }
}

/** A command line has room for 120 KiB after quoting. */
const BATCH_BYTES = 60 * 1024;

function* batches(paths: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for (const path of paths) {
    const size = Buffer.byteLength(path) + 3;
    if (bytes + size > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(path);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/**
 * Deletes what interrupted writes left in a directory: `.tmp-*`. Idempotent.
 * Only for who holds the host lock, as it would also take a write that is under way.
 */
export async function sweepTemporary(
  transport: Transport,
  parent: string,
  options: CallOptions = {},
): Promise<void> {
  checkRemotePath(parent);
  await runFileScript(transport, {
    ...options,
    verb: "sweep",
    path: parent,
    script: SWEEP,
    args: [parent],
  });
}
