import { AlError } from "../base/errors.ts";

/** One file of a commit's tree. */
export interface TreeEntry {
  readonly path: string;
  readonly size: number;
  readonly executable: boolean;
  /** Object id of its content. */
  readonly id: string;
}

/** What a tree may hold at most. */
export const TREE_LIMITS = {
  files: 10_000,
  totalBytes: 200 * 1000 * 1000,
  fileBytes: 10 * 1000 * 1000,
  nameBytes: 255,
  depth: 32,
} as const;

/** An entry of a tree that must not be read or named. */
export interface RefusedPath {
  /** Its bytes as Latin-1 where they are not UTF-8. */
  readonly path: string;
  readonly reason: string;
}

/** What a tree holds, and what of it is refused. */
export interface ParsedTree {
  /** Sorted by path. */
  readonly entries: readonly TreeEntry[];
  /** Symbolic links, submodules, names that could leave a directory or mislead a reader, names equal but for case, over-size files. */
  readonly refused: readonly RefusedPath[];
}

/**
 * The files in the output of `git ls-tree -r -z -l --full-tree`.
 * @throws AlError `unsafe-tree` (user) when the tree as a whole is too large.
 */
export function parseTree(listing: Buffer, described: string): ParsedTree {
  const refused: RefusedPath[] = [];
  const entries: TreeEntry[] = [];
  for (const record of splitRecords(listing)) {
    const entry = parseRecord(record);
    if ("reason" in entry) refused.push(entry);
    else entries.push(entry);
  }
  refused.push(...checkWholeTree(entries, described));
  return { entries: entries.sort((a, b) => (a.path < b.path ? -1 : 1)), refused };
}

/**
 * Names in a tree that are equal but for case.
 * @throws AlError `unsafe-tree` (user) when it is too large as a whole.
 */
export function checkWholeTree(
  entries: readonly Pick<TreeEntry, "path" | "size">[],
  described: string,
): readonly RefusedPath[] {
  const tooMuch = sizeProblems(entries);
  if (tooMuch.length > 0) throw tooLarge(described, tooMuch);
  return caseCollisions(entries);
}

function sizeProblems(entries: readonly Pick<TreeEntry, "path" | "size">[]): readonly string[] {
  const problems: string[] = [];
  const total = entries.reduce((sum, entry) => sum + entry.size, 0);
  if (entries.length > TREE_LIMITS.files) {
    problems.push(`${entries.length} files; at most ${TREE_LIMITS.files} are read`);
  }
  if (total > TREE_LIMITS.totalBytes) {
    problems.push(`${total} bytes in all; at most ${TREE_LIMITS.totalBytes} are read`);
  }
  return problems;
}

/** The parts of an output that end in a zero byte each. */
export function splitRecords(listing: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let start = 0; start < listing.length; ) {
    const found = listing.indexOf(0, start);
    const end = found === -1 ? listing.length : found;
    records.push(listing.subarray(start, end));
    start = end + 1;
  }
  return records;
}

/** `<mode> SP <type> SP <id> SP+ <size> TAB <path>` */
function parseRecord(record: Buffer): TreeEntry | RefusedPath {
  const tab = record.indexOf(0x09);
  const [mode = "", , id = "", size = ""] = record.toString("latin1", 0, tab).split(/ +/);
  const name = decodePath(record.subarray(tab + 1));
  if (name === undefined) {
    return { path: record.toString("latin1", tab + 1), reason: "its name is not UTF-8" };
  }
  const reason = kindProblem(mode) ?? pathProblem(name) ?? sizeProblem(Number(size));
  if (reason !== undefined) return { path: name, reason };
  return { path: name, size: Number(size), executable: mode === "100755", id };
}

/** Why a file of this size is refused, or undefined. */
export function sizeProblem(bytes: number): string | undefined {
  if (bytes <= TREE_LIMITS.fileBytes) return undefined;
  return `${bytes} bytes; a file may have ${TREE_LIMITS.fileBytes}`;
}

/** A path's bytes as text, or undefined when they are not UTF-8. */
export function decodePath(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function kindProblem(mode: string): string | undefined {
  if (mode === "100644" || mode === "100755" || mode === "100664") return undefined;
  if (mode === "120000") return "it is a symbolic link";
  if (mode === "160000") return "it is a submodule";
  return `it has the unusual mode ${mode}`;
}

/** Why a path in a tree is refused, or undefined. */
export function pathProblem(path: string): string | undefined {
  const parts = path.split("/");
  if (parts.length > TREE_LIMITS.depth) return `it lies more than ${TREE_LIMITS.depth} levels deep`;
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    return "it is not a plain relative path";
  }
  if (path.includes("\\")) return "its name has a backslash";
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(path)) return "its name has control characters";
  if (parts.some((part) => Buffer.byteLength(part) > TREE_LIMITS.nameBytes)) {
    return `its name is longer than ${TREE_LIMITS.nameBytes} bytes`;
  }
  if (parts.some((part) => /^(\.git[ .]*|git~\d+)$/i.test(part))) return "it looks like git's own";
  return undefined;
}

function caseCollisions(entries: readonly Pick<TreeEntry, "path">[]): RefusedPath[] {
  const seen = new Map<string, string>();
  const collisions = new Map<string, RefusedPath>();
  for (const { path } of entries) {
    for (let end = path.indexOf("/"); ; end = path.indexOf("/", end + 1)) {
      const prefix = end === -1 ? path : path.slice(0, end);
      const folded = prefix.normalize("NFC").toLowerCase();
      const other = seen.get(folded) ?? prefix;
      seen.set(folded, other);
      if (other !== prefix) {
        const reason = `differs from ${JSON.stringify(other)} only in case`;
        collisions.set(prefix, { path: prefix, reason });
      }
      if (end === -1) break;
    }
  }
  return [...collisions.values()];
}

function tooLarge(described: string, problems: readonly string[]): AlError {
  return new AlError(`${described} cannot be used: ${problems.join("; ")}`, {
    code: "unsafe-tree",
    blame: "user",
    hint: "Remove what agents do not need from the repository and commit.",
  });
}
