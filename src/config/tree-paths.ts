import type { SourceEntry, SourceTree } from "./ports.ts";
import type { Problem } from "./problems.ts";

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

const LISTED_REFUSALS = 50;

/** With a problem for each refused entry, up to a limit; what else is said of such a file is left out. */
export function withRefused(
  { refused = [] }: SourceTree,
  problems: readonly Problem[],
): readonly Problem[] {
  const paths = new Set(refused.map(({ path }) => path));
  const more = refused.length - LISTED_REFUSALS;
  const listed = refused.slice(0, LISTED_REFUSALS).map(({ path, reason }, index): Problem => {
    const isLast = more > 0 && index === LISTED_REFUSALS - 1;
    const message = isLast ? `${reason}; and ${more} more paths are refused` : reason;
    return { file: path, message };
  });
  return [...listed, ...problems.filter(({ file }) => !paths.has(file))];
}
