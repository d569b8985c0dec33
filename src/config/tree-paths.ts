import type { SourceEntry, SourceTree } from "./ports.ts";

const indexes = new WeakMap<SourceTree, ReadonlyMap<string, SourceEntry>>();

/** True when the tree has a file at this path. */
export function hasFile(tree: SourceTree, path: string): boolean {
  return entryAt(tree, path) !== undefined;
}

/** The file at this path; the index is made once per tree. */
export function entryAt(tree: SourceTree, path: string): SourceEntry | undefined {
  let index = indexes.get(tree);
  if (!index) {
    index = new Map(tree.entries.map((entry) => [entry.path, entry]));
    indexes.set(tree, index);
  }
  return index.get(path);
}
