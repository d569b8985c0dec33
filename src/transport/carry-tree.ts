import { randomUUID } from "node:crypto";
import { posix } from "node:path";
import type { CallOptions } from "../base/deadline.ts";
import { runFileScript } from "./file-script.ts";
import { CARRY_TREE } from "./file-scripts.ts";
import { checkEntryPath, checkRemotePath } from "./remote-path.ts";
import type { Transport } from "./transport.ts";
import { archiveTree, type TreeEntry } from "./tree-archive.ts";

/** A tree that is made partly of files that lie on the host already. */
export interface CarriedTree {
  readonly directory: string;
  /** What is sent. */
  readonly entries: readonly TreeEntry[];
  /** What is copied there, at its path in another tree beside `directory`, or in `directory` itself. */
  readonly carried: readonly { readonly path: string; readonly from: string }[];
}

/**
 * Like `writeTree`, for a tree some of whose files are copied on the host from trees beside it; their
 * contents never come here. Whatever interrupts it, every file that is carried is still where it was or
 * in its new place: a tree that is made from itself is mended file by file.
 *
 * @throws AlError `file-failed` when a carried file is gone or no regular file; those of `writeTree`.
 */
export async function carryTree(
  transport: Transport,
  { directory, entries, carried }: CarriedTree,
  options: CallOptions = {},
): Promise<void> {
  checkRemotePath(directory);
  const parent = posix.dirname(directory);
  for (const { path, from } of carried) {
    checkEntryPath(path);
    checkRemotePath(posix.join(parent, from));
  }
  await runFileScript(transport, {
    ...options,
    verb: "write",
    path: directory,
    script: CARRY_TREE,
    args: [
      parent,
      directory,
      posix.join(parent, `.tmp-${randomUUID()}`),
      carried.some(({ from }) => from === posix.basename(directory)) ? "mend" : "replace",
      ...carried.flatMap(({ from, path }) => [from, path]),
    ],
    stdin: archiveTree(entries),
  });
}
