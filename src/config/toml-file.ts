import type { z } from "zod";
import type { SourceTree } from "./ports.ts";
import type { KeyPath, Problem } from "./problems.ts";
import {
  layerOf,
  mergeLayers,
  type Overlay,
  parseLayer,
  type TomlLayer,
  withoutEnvironment,
} from "./toml-layers.ts";
import { hasFile } from "./tree-paths.ts";
import { at, zodProblems } from "./zod-problems.ts";

/** A read TOML file; its value is whole only if there are no problems. */
export interface TomlFile<T> {
  readonly file: string;
  /** Without what `problems` are about, so that the rest can be checked too; undefined if nothing is left. */
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
  /** True when no problem is at or below this top-level key. */
  isSound(key: string): boolean;
  /** File, line and key path of a value, to build a problem with. */
  at(path: KeyPath): { file: string; line: number | undefined; keyPath: string };
}

/**
 * Reads and checks one TOML file of a tree; a file that is not there counts as empty.
 * Overlays are laid over it in their order; every problem names the file that its value is from.
 */
export async function readTomlFile<Schema extends z.ZodType>(
  tree: SourceTree,
  file: string,
  schema: Schema,
  overlays: readonly Overlay[] = [],
): Promise<TomlFile<z.infer<Schema>>> {
  const bytes = hasFile(tree, file) ? await tree.read(file) : new Uint8Array();
  const parsed = [{ file, bytes }, ...overlays].map(parseLayer);
  const problems = parsed.flatMap((each) => ("problem" in each ? [each.problem] : []));
  if (problems.length > 0) return broken(file, problems);
  const layers = parsed.flatMap((each, index) => {
    if (!("layer" in each)) return [];
    return [index === 0 ? each.layer : withoutEnvironment(each.layer)];
  });
  return checkLayers(file, layers, schema);
}

function checkLayers<Schema extends z.ZodType>(
  file: string,
  layers: readonly TomlLayer[],
  schema: Schema,
): TomlFile<z.infer<Schema>> {
  const document = mergeLayers(layers);
  const result = schema.safeParse(document, { reportInput: true });
  return {
    file,
    value: result.success ? result.data : salvage(schema, document, result.error),
    problems: result.success
      ? []
      : zodProblems(schema, result.error, (path) => layerOf(layers, path)),
    isSound: (key) => result.success || result.error.issues.every(({ path }) => path[0] !== key),
    at: (path) => at(layerOf(layers, path), path),
  };
}

/** The value without its invalid parts, or else without the tables, or top-level keys, around them. */
function salvage<Schema extends z.ZodType>(
  schema: Schema,
  document: unknown,
  error: z.ZodError,
): z.infer<Schema> | undefined {
  const rest: unknown = structuredClone(document);
  let issues = error.issues;
  for (const end of [undefined, -1, 1]) {
    for (const issue of issues) {
      const keys = issue.code === "unrecognized_keys" ? issue.keys : [];
      const paths = keys.length > 0 ? keys.map((key) => [...issue.path, key]) : [issue.path];
      for (const path of paths) remove(rest, path.slice(0, end));
    }
    const result = schema.safeParse(rest);
    if (result.success) return result.data;
    issues = result.error.issues;
  }
  return undefined;
}

/** Deletes a table's key; an array is deleted whole, since the places of the others must not move. */
function remove(document: unknown, path: readonly PropertyKey[]): void {
  let holder = document as Record<PropertyKey, unknown>;
  for (const [index, step] of path.entries()) {
    const next = holder[step];
    const isLast = index === path.length - 1 || typeof next !== "object" || next === null;
    if (isLast || Array.isArray(next)) {
      delete holder[step];
      return;
    }
    holder = next as Record<PropertyKey, unknown>;
  }
}

function broken<T>(file: string, problems: readonly Problem[]): TomlFile<T> {
  return {
    file,
    value: undefined,
    problems,
    isSound: () => false,
    at: () => ({ file, line: undefined, keyPath: "" }),
  };
}
