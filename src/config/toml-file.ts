import { parse, TomlError } from "smol-toml";
import type { z } from "zod";
import { decodeText } from "./decode-text.ts";
import type { SourceTree } from "./ports.ts";
import type { KeyPath, Problem } from "./problems.ts";
import { locateTomlKeys } from "./toml-lines.ts";
import { hasFile } from "./tree-paths.ts";
import { at, zodProblems } from "./zod-problems.ts";

const MAX_TOML_BYTES = 256 * 1024;

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

/** Reads and checks one TOML file of a tree; a file that is not there counts as empty. */
export async function readTomlFile<Schema extends z.ZodType>(
  tree: SourceTree,
  file: string,
  schema: Schema,
): Promise<TomlFile<z.infer<Schema>>> {
  const bytes = hasFile(tree, file) ? await tree.read(file) : new Uint8Array();
  return parseTomlFile(file, bytes, schema);
}

function parseTomlFile<Schema extends z.ZodType>(
  file: string,
  bytes: Uint8Array,
  schema: Schema,
): TomlFile<z.infer<Schema>> {
  const decoded = decodeText(file, bytes, MAX_TOML_BYTES);
  if (!decoded.ok) return broken(file, decoded.problem);
  let document: unknown;
  try {
    document = parse(decoded.text);
  } catch (thrown) {
    return broken(file, syntaxProblem(file, thrown));
  }
  const lines = locateTomlKeys(decoded.text);
  const place = { file, lines };
  const result = schema.safeParse(document, { reportInput: true });
  return {
    file,
    value: result.success ? result.data : salvage(schema, document, result.error),
    problems: result.success ? [] : zodProblems(schema, result.error, place),
    isSound: (key) => result.success || result.error.issues.every(({ path }) => path[0] !== key),
    at: (path) => at(place, path),
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

function broken<T>(file: string, problem: Problem): TomlFile<T> {
  return {
    file,
    value: undefined,
    problems: [problem],
    isSound: () => false,
    at: () => ({ file, line: undefined, keyPath: "" }),
  };
}

function syntaxProblem(file: string, thrown: unknown): Problem {
  if (!(thrown instanceof TomlError)) throw thrown;
  const reason = thrown.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "");
  return { file, line: thrown.line, message: `column ${thrown.column}: ${reason}` };
}
