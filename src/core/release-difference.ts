import { compareText } from "./fingerprint.ts";

/** One file or credential field that differs between what is live and what is wanted. */
export interface Difference {
  /** Path in the release, or `type/instance/field`. */
  readonly path: string;
  readonly status: "added" | "removed" | "changed";
}

/** What must be added, removed or changed to get from one set of named contents to another, by path. */
export function differences<T>(
  live: ReadonlyMap<string, T>,
  wanted: ReadonlyMap<string, T>,
  same: (a: T, b: T) => boolean,
): readonly Difference[] {
  const paths = [...new Set([...live.keys(), ...wanted.keys()])].sort(compareText);
  return paths.flatMap((path): Difference[] => {
    const before = live.get(path);
    const after = wanted.get(path);
    if (before === undefined) return [{ path, status: "added" }];
    if (after === undefined) return [{ path, status: "removed" }];
    return same(before, after) ? [] : [{ path, status: "changed" }];
  });
}
