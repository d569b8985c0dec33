import { posix } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { AlError } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { checkEntryPath } from "./remote-path.ts";

/** A regular file of a tree. */
export interface TreeEntry {
  /** Relative to the tree, `/`-separated: `agents/dev/ACTIONS.md`. */
  readonly path: string;
  /** Permission bits, such as 0o600; the owner has to be able to read. Directories are 0o700. */
  readonly mode: number;
  readonly content: Uint8Array | Secret;
}

/**
 * A tar stream of a tree: `tree/...`, then an empty file `complete`, as tar itself takes a stream that
 * was cut between two entries for a whole one. Equal entries give equal bytes.
 *
 * @throws AlError `path-invalid`, `tree-invalid` (bug).
 */
export function archiveTree(entries: readonly TreeEntry[]): Readable {
  checkEntries(entries);
  const tar = pack();
  const mtime = new Date(0);
  tar.entry({ name: "tree", type: "directory", mode: 0o700, mtime });
  for (const { path, mode, content } of entries) {
    const bytes = content instanceof Secret ? content.revealBytes() : Buffer.from(content);
    tar.entry({ name: `tree/${path}`, mode, mtime }, bytes);
  }
  tar.entry({ name: "complete", mtime }, "");
  tar.finalize();
  return Readable.from(tar);
}

function checkEntries(entries: readonly TreeEntry[]): void {
  const files = new Set<string>();
  for (const { path, mode } of entries) {
    checkEntryPath(path);
    const badMode = !Number.isInteger(mode) || mode < 0 || mode > 0o777 || (mode & 0o400) === 0;
    if (badMode) throw invalid(`${path} has mode ${mode}`);
    if (files.has(path)) throw invalid(`${path} is there twice`);
    files.add(path);
  }
  for (const path of files) {
    for (let up = posix.dirname(path); up !== "."; up = posix.dirname(up)) {
      if (files.has(up)) throw invalid(`${up} is both a file and a directory`);
    }
  }
}

function invalid(reason: string): AlError {
  return new AlError(`cannot write a tree: ${reason}`, { code: "tree-invalid", blame: "bug" });
}
