import { createHash } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { join } from "node:path";
import { mapBounded } from "../base/concurrency.ts";
import { AlError, errnoOf } from "../base/errors.ts";
import type { GitVariables } from "./git-environment.ts";
import { listFiles } from "./list-files.ts";
import {
  checkWholeTree,
  decodePath,
  pathProblem,
  type RefusedPath,
  sizeProblem,
  TREE_LIMITS,
} from "./tree-entries.ts";

/** A directory's files as they are at one moment, committed or not. */
export interface WorkingTree {
  /** `tree-<hash of all paths and contents, refused paths included>`. */
  readonly revision: string;
  /** Sorted by path. */
  readonly entries: readonly WorkingFile[];
  /** What must not be read, and makes the tree invalid, as for a commit. */
  readonly refused: readonly RefusedPath[];
  /** @throws AlError `tree-changed` (transient) when the file is no longer what was listed. */
  read(path: string): Promise<Uint8Array>;
}

/** One file of a working tree. */
export interface WorkingFile {
  readonly path: string;
  readonly size: number;
  readonly executable: boolean;
}

/** Looks at one directory again and again; what did not change is not read again. */
export interface WorkingTreeReader {
  /** @throws AlError `unsafe-tree` (user) when there is too much of it, as for a commit. */
  look(): Promise<WorkingTree>;
}

/** How a working tree is read. */
export interface WorkingTreeOptions {
  /** Paths that are no part of it. */
  readonly without?: readonly string[];
  readonly variables?: GitVariables;
  readonly signal?: AbortSignal;
}

/** A reader of the working tree in `directory`; nothing is read before the first look. */
export function openWorkingTree(
  directory: string,
  { without = [], variables, signal }: WorkingTreeOptions = {},
): WorkingTreeReader {
  let known = new Map<string, HashedFile>();
  return {
    async look() {
      const paths = await listFiles(directory, { variables, signal });
      const looks = await mapBounded(paths, PARALLEL_FILES, (path) => inspect(directory, path));
      const found = looks.filter((one) => one !== undefined);
      const refused = found.flatMap((one) => ("reason" in one ? [one] : []));
      const files = found.flatMap((one) => ("file" in one ? [one.file] : []));
      const kept = files.filter(({ path }) => !without.includes(path));
      refused.push(...checkWholeTree(kept, directory));
      const hashed = await mapBounded(kept, PARALLEL_FILES, (file) =>
        hashFile(directory, file, known.get(file.path)),
      );
      known = new Map(hashed.map((file) => [file.path, file]));
      return workingTree(directory, hashed, refused);
    },
  };
}

const PARALLEL_FILES = 32;

interface FoundFile extends WorkingFile {
  /** Changes whenever the content may have. */
  readonly stamp: string;
}

interface HashedFile extends FoundFile {
  readonly hash: string;
}

type Inspected = { readonly file: FoundFile } | RefusedPath | undefined;

/** Undefined for what is gone: deleted and not yet committed. */
async function inspect(directory: string, bytes: Buffer): Promise<Inspected> {
  const path = decodePath(bytes);
  if (path === undefined) {
    return { path: bytes.toString("latin1"), reason: "its name is not UTF-8" };
  }
  const facts = await lstat(join(directory, path), { bigint: true }).catch((thrown) => {
    if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ENOTDIR") return undefined;
    throw thrown;
  });
  if (!facts) return undefined;
  const problem = kindProblem(facts) ?? pathProblem(path) ?? sizeProblem(Number(facts.size));
  if (problem !== undefined) return { path, reason: problem };
  const { ino, size, mtimeNs, ctimeNs, mode } = facts;
  const executable = (mode & 0o100n) !== 0n;
  const stamp = [ino, size, mtimeNs, ctimeNs].join(" ");
  return { file: { path, size: Number(size), executable, stamp } };
}

function kindProblem(facts: BigIntStats): string | undefined {
  if (facts.isSymbolicLink()) return "it is a symbolic link";
  if (facts.isDirectory()) return "it is a repository of its own";
  return facts.isFile() ? undefined : "it is not a regular file";
}

async function hashFile(
  directory: string,
  file: FoundFile,
  known: HashedFile | undefined,
): Promise<HashedFile> {
  if (known?.stamp === file.stamp) return { ...file, hash: known.hash };
  return { ...file, hash: hashOf(await readBytes(directory, file.path)) };
}

function workingTree(
  directory: string,
  files: readonly HashedFile[],
  refused: readonly RefusedPath[],
): WorkingTree {
  const entries = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const lines = [
    ...entries.map(({ path, executable, hash }) => `${hash} ${executable} ${path}\n`),
    ...refused.map(({ path, reason }) => `${path}: ${reason}\n`).sort(),
  ];
  const hashes = new Map(entries.map(({ path, hash }) => [path, hash]));
  return {
    revision: `tree-${hashOf(Buffer.from(lines.join("")))}`,
    entries: entries.map(({ path, size, executable }) => ({ path, size, executable })),
    refused,
    async read(path) {
      const bytes = await readBytes(directory, path);
      if (hashOf(bytes) !== hashes.get(path)) throw changed(path);
      return bytes;
    },
  };
}

async function readBytes(directory: string, path: string): Promise<Uint8Array> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
    const file = await open(join(directory, path), flags);
    const bytes = await file.readFile().finally(() => file.close());
    if (bytes.length > TREE_LIMITS.fileBytes) throw changed(path);
    return bytes;
  } catch (thrown) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(errnoOf(thrown) ?? "")) throw changed(path);
    throw thrown;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function changed(path: string): AlError {
  return new AlError(`${path} changed while it was being read`, {
    code: "tree-changed",
    blame: "transient",
  });
}
