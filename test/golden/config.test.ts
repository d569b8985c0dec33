import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadProject } from "../../src/config/load-project.ts";
import { formatProblems } from "../../src/config/problems.ts";
import { memoryTree } from "../unit/config/memory-tree.ts";

/*
 * Each case: files, each after a line `-- path --`; a line `----------`; then the expected text,
 * either the problems or, after a line `ok`, the warnings.
 */
const directory = join(import.meta.dirname, "config");

test.each(readdirSync(directory))("config case %s", async (name) => {
  const [input = "", expected = ""] = readFileSync(join(directory, name), "utf8").split(
    /^-{10}\n/m,
  );
  const files = [...input.matchAll(/^-- (.+) --\n((?:(?!-- ).*\n)*)/gm)];
  const tree = memoryTree(Object.fromEntries(files.map(([, path, text]) => [path, text ?? ""])));
  const loaded = await loadProject(tree);
  const text = loaded.ok
    ? ["ok", formatProblems(loaded.warnings)].join("\n")
    : formatProblems(loaded.problems);
  expect(`${text.trimEnd()}\n`).toBe(expected);
});
