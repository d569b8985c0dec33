import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, hasCode } from "../base/errors.ts";
import { type GitOptions, runGit } from "./run-git.ts";
import { splitRecords } from "./tree-entries.ts";

/**
 * Paths of a directory's files, relative to it and unsorted: what git would commit, where the directory
 * lies in a checkout, else everything. What git and packages keep for themselves is left out, and so
 * is what editors leave lying about. A path that ends in `/` is a repository of its own.
 */
export async function listFiles(directory: string, options: GitOptions): Promise<Buffer[]> {
  const found = (await askGit(directory, options)) ?? (await walk(directory, ""));
  return found.filter((path) => !isLeftOut(path.toString("latin1")));
}

/** True for what is never a part of a working tree; also tells a watcher where not to look. */
export function isLeftOut(path: string): boolean {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.some((part) => part === ".git" || part === "node_modules")) return true;
  return EDITORS.test(parts.at(-1) ?? "");
}

/** Emacs' locks and backups, vim's swap files, macOS' folder settings. */
const EDITORS = /^(\.#.*|#.*#|.*~|\..*\.sw[a-p]|\.DS_Store)$/;

async function askGit(directory: string, options: GitOptions): Promise<Buffer[] | undefined> {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  try {
    const { status, stdout } = await runGit(args, { ...options, cwd: directory });
    return status === 0 ? splitRecords(stdout) : undefined;
  } catch (thrown) {
    if (hasCode(thrown, "git-not-started")) return undefined;
    throw thrown;
  }
}

/** Links are listed, not followed. */
async function walk(root: string, below: string): Promise<Buffer[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true }).catch(goneIsEmpty);
  const found = entries.map(async (entry) => {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (isLeftOut(path)) return [];
    return entry.isDirectory() ? walk(root, path) : [Buffer.from(path)];
  });
  return (await Promise.all(found)).flat();
}

function goneIsEmpty(thrown: unknown): Dirent[] {
  if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ENOTDIR") return [];
  throw thrown;
}
