import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sourceProblems, testProblems } from "../architecture/house-rules.ts";
import { findImports } from "../architecture/imports.ts";
import { ADAPTER_ROOMS, importProblems, PORT_ROOMS, ROOMS, roomOf } from "../architecture/rooms.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAX_LINES = 300;

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

function filesBelow(directory: string, ending: string): string[] {
  return readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .filter((path) => !path.includes("node_modules"))
    .sort();
}

const sources = filesBelow("src", ".ts");
const tests = filesBelow("test", ".ts");
const manifest = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
const packages = {
  dependencies: Object.keys(manifest.dependencies ?? {}),
  devDependencies: Object.keys(manifest.devDependencies ?? {}),
};

test("every room is in the table of rooms", () => {
  const rooms = new Set(sources.map(roomOf).filter((room) => room !== "src"));
  expect([...rooms].filter((room) => !Object.hasOwn(ROOMS, room ?? ""))).toEqual([]);
});

test("files directly in src are the two programs", () => {
  const programs = ["src/al.ts", "src/build.ts", "src/build-plugins.ts"];
  expect(sources.filter((file) => roomOf(file) === "src").sort()).toEqual(programs.sort());
});

test("a file imports only what the row of its room lists", () => {
  expect(sources.flatMap((file) => importProblems(file, read(file), packages))).toEqual([]);
});

test("rooms that own ports list no adapter", () => {
  for (const room of PORT_ROOMS) {
    expect(ROOMS[room]?.filter((one) => ADAPTER_ROOMS.some((adapter) => adapter === one))).toEqual(
      [],
    );
  }
});

test("printing, purity, barrels and docstrings follow the house rules", () => {
  expect(sources.flatMap((file) => sourceProblems(file, read(file)))).toEqual([]);
});

test("no test is left out or alone", () => {
  expect(tests.flatMap((file) => testProblems(file, read(file)))).toEqual([]);
});

test(`no file is longer than ${MAX_LINES} lines`, () => {
  const lengths = [...sources, ...tests].map((file) => ({
    file,
    lines: read(file).replace(/\n$/, "").split("\n").length,
  }));
  expect(lengths.filter(({ lines }) => lines > MAX_LINES)).toEqual([]);
});

test("every dependency is named in a decision", () => {
  const decisions = filesBelow("docs/decisions", ".md").map(read).join("\n");
  const names = [...packages.dependencies, ...packages.devDependencies];
  const named = (name: string) =>
    new RegExp(`(?<![\\w@/-])${name.replace(/[.+]/g, "\\$&")}(?![\\w/-])`).test(decisions);
  expect(names.filter((name) => !named(name))).toEqual([]);
});

const ADAPTER = "../docker/docker-client.ts";

test.each([
  ["an import", `import { a } from "${ADAPTER}";`],
  ["a default import", `import a from "${ADAPTER}";`],
  ["a namespace import", `import * as a from "${ADAPTER}";`],
  ["a type import", `import type { A } from "${ADAPTER}";`],
  ["an inline type import", `import { type A } from '${ADAPTER}';`],
  ["an import over several lines", `import {\n  a,\n  b,\n} from "${ADAPTER}";`],
  ["an import after a comment in it", `import /* " */ { a } from "${ADAPTER}";`],
  ["a side-effect import", `import "${ADAPTER}";`],
  ["a dynamic import", `const a = await import("${ADAPTER}");`],
  ["a dynamic import of a template", `const a = await import(\`${ADAPTER}\`);`],
  ["a dynamic import inside a template", `const a = \`x \${await import("${ADAPTER}")} y\`;`],
  ["an import in a type", `let a: import("${ADAPTER}").A;`],
  ["a resolved path", `const a = import.meta.resolve("${ADAPTER}");`],
  ["a re-export", `export { a } from "${ADAPTER}";`],
  ["a re-export of types", `export type { A } from "${ADAPTER}";`],
  ["a re-export of everything", `export * from "${ADAPTER}";`],
  ["a re-export as a namespace", `export * as a from "${ADAPTER}";`],
  ["a require", `const a = require("${ADAPTER}");`],
  ["a computed import", "const a = await import(`../x.ts` + b);"],
  ["a detour", 'import { a } from "../core/../docker/docker-client.ts";'],
  ["an import out of src", 'import { a } from "../../test/lab/names.ts";'],
  ["an unknown room", 'import { a } from "../elsewhere/a.ts";'],
  ["a package that is no dependency", 'import { build } from "esbuild";'],
  ["a builtin without its prefix", 'import { join } from "path";'],
])("%s that reconcile may not have is caught", (_title, source) => {
  const problems = importProblems("src/reconcile/a.ts", `// a line\n${source}`, packages);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^src\/reconcile\/a\.ts:\d+: /);
});

test("a problem names the file, the import and what is allowed", () => {
  const source = `import type { A } from "${ADAPTER}";`;
  expect(importProblems("src/reconcile/a.ts", source, packages)).toEqual([
    "src/reconcile/a.ts:1: import of ../docker/docker-client.ts: room reconcile may import only: base, core",
  ]);
});

test.each([
  ["a comment", `// import "${ADAPTER}";\n/* import("${ADAPTER}") */`],
  ["a string", `const a = 'import "${ADAPTER}"';`],
  ["a template", `const a = \`import "${ADAPTER}"; \${1} export * from "${ADAPTER}"\`;`],
  ["a regular expression", `const a = /import "x"|['"]/.test(b); const c = 4 / 2; d = "/";`],
  ["a method called import", 'a.import("x"); const b = { import: 1 };'],
  ["allowed imports", 'import { a } from "../base/a.ts"; import { b } from "./b.ts";'],
])("%s is not taken for a forbidden import", (_title, source) => {
  expect(importProblems("src/reconcile/a.ts", source, packages)).toEqual([]);
});

test("core may import only one builtin", () => {
  const source = 'import { readFile } from "node:fs";\nimport { createHash } from "node:crypto";';
  expect(importProblems("src/core/a.ts", source, packages)).toEqual([
    "src/core/a.ts:1: import of node:fs: core may import only node:crypto of Node",
  ]);
});

test("only the build may import development tools", () => {
  const source = 'import { build } from "esbuild";';
  expect(importProblems("src/build.ts", source, packages)).toEqual([]);
  expect(importProblems("src/al.ts", source, packages)).toHaveLength(1);
});

test("the line of an import is right after multi-line text", () => {
  const source = '/* a\nb */ const a = `x\ny`;\nimport "z";';
  expect(findImports(source)).toEqual([{ kind: "side-effect", specifier: "z", line: 4 }]);
});

test.each([
  ["Date.now()", "const a = Date.now();"],
  ["new Date()", "const a = new Date();"],
  ["Math.random()", "const a = Math.random();"],
  ["process", "const a = process.argv;"],
  ["setTimeout", "setTimeout(work, 5);"],
  ["randomness of node:crypto", 'import { randomUUID } from "node:crypto";'],
  ["console", 'console.log("a");'],
  ["an undocumented export", "export function a() {}"],
  ["a barrel", 'export { a } from "./a.ts";'],
])("%s in core is caught", (_title, source) => {
  expect(sourceProblems("src/core/a.ts", source)).toHaveLength(1);
});

test.each([
  ["a date from a number", "const a = new Date(5).toISOString();"],
  ["a property called process", "const a = { process: 1 }; b.process();"],
  ["a documented export", "/** A. */\nexport const a = 1;"],
  [
    "a type named like its schema",
    "/** A. */\nexport const A = z();\nexport type A = Z<typeof A>;",
  ],
])("%s in core is fine", (_title, source) => {
  expect(sourceProblems("src/core/a.ts", source)).toEqual([]);
});

test.each(["test.only(", "describe.skip(", "it.todo(", "test.each([]).only(", "test\n  .skip("])(
  "%j is caught",
  (call) => {
    expect(testProblems("test/unit/a.test.ts", `${call}"a", () => {});`)).toHaveLength(1);
  },
);
