import { expect, test } from "vitest";
import { applyDockerignore } from "../../../src/config/docker-ignore.ts";
import { loadProject } from "../../../src/config/load-project.ts";
import { memoryTree, SMALL_PROJECT } from "./memory-tree.ts";

const PATHS = [".dockerignore", "a.log", "docs/keep.md", "docs/x.md", "lib/b.log", "src/Main.ts"];

async function kept(patterns: string, paths: readonly string[] = PATHS) {
  const tree = memoryTree({ "dev/.dockerignore": patterns });
  return applyDockerignore(tree, "dev/", paths);
}

test.each([
  ["nothing", "# a comment\n\n", PATHS],
  ["a directory with all in it", "docs\n", PATHS.filter((path) => !path.startsWith("docs/"))],
  ["a slash at either end", "/docs/\n", PATHS.filter((path) => !path.startsWith("docs/"))],
  ["one level only", "*.log\n", PATHS.filter((path) => path !== "a.log")],
  ["any level", "**/*.log\n", PATHS.filter((path) => !path.endsWith(".log"))],
  ["everything but", "*\n!docs/keep.md\n", ["docs/keep.md"]],
  ["the last match decides", "!docs/keep.md\ndocs\n", PATHS.filter((p) => !p.startsWith("docs"))],
  ["case counts", "SRC\nsrc/main.ts\n", PATHS],
])("%s", async (_title, patterns, expected) => {
  expect(await kept(patterns)).toEqual({ paths: expected, problems: [] });
});

test("the Dockerfile's own ignore file goes before the directory's", async () => {
  const tree = memoryTree({ ".dockerignore": "a.log", "Dockerfile.dockerignore": "docs" });
  const { paths } = await applyDockerignore(tree, "", ["a.log", "docs/x.md"]);
  expect(paths).toEqual(["a.log"]);
});

test("bad patterns are problems with their lines, and time is bounded", async () => {
  const { problems } = await kept(`docs\n!\n[z-a]\n${"*a".repeat(7)}\n${"x".repeat(1025)}\n`);
  expect(problems.map(({ file, line, message }) => [file, line, message])).toEqual([
    ["dev/.dockerignore", 2, "`!` brings nothing back"],
    ["dev/.dockerignore", 3, "is not a pattern"],
    ["dev/.dockerignore", 4, "has too many wildcards"],
    ["dev/.dockerignore", 5, "is longer than 1024 characters"],
  ]);
  const many = await kept("x\n".repeat(501));
  expect(many.problems).toMatchObject([{ message: "has more than 500 patterns" }]);
  expect((await kept("\u0000")).problems).toHaveLength(1);
  const usual = "**/__tests__/**\nsrc/*/*/*.test.*\n**/*.snap*\n";
  expect(await kept(usual)).toEqual({ paths: PATHS, problems: [] });
  const begin = performance.now();
  const hard = Array.from({ length: 50 }, (_, n) => `${"a".repeat(250)}${n}`);
  await kept(`**/*a*a*b\n`, hard);
  expect(performance.now() - begin).toBeLessThan(10_000);
});

test("an ignored file is not in the context, and changing it changes nothing", async () => {
  const load = async (files: Record<string, string>) => {
    const loaded = await loadProject(
      memoryTree({
        ...SMALL_PROJECT,
        "dev/Dockerfile": "FROM al-agent:latest\nCOPY . /opt/dev\n",
        "dev/.dockerignore": "node_modules\n.dockerignore\n",
        "dev/scan.sh": "#!/bin/sh\n",
        ...files,
      }),
      { directoryName: "sample" },
    );
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    return loaded.project.agents[0]?.dockerfile;
  };
  const one = await load({ "dev/node_modules/x/index.js": "1" });
  const two = await load({ "dev/node_modules/x/index.js": "2", "dev/node_modules/y.js": "" });
  expect(one?.context.map(({ path }) => path)).toEqual(["scan.sh"]);
  expect(two).toEqual(one);
});

test("the project's .dockerignore concerns the project's image alone", async () => {
  const loaded = await loadProject(
    memoryTree({
      ...SMALL_PROJECT,
      ".dockerignore": "**/*.sh\n",
      Dockerfile: "FROM al-agent:latest\nCOPY tools /opt/\n",
      "tools/a.sh": "",
      "tools/a.txt": "",
      "dev/Dockerfile": "FROM al-agent:latest\nCOPY scan.sh /opt/\n",
      "dev/scan.sh": "",
    }),
    { directoryName: "sample" },
  );
  if (!loaded.ok) throw new Error("refused");
  const { dockerfile, agents } = loaded.project;
  expect(dockerfile?.context.map(({ path }) => path)).toEqual(["tools/a.txt"]);
  expect(agents[0]?.dockerfile?.context.map(({ path }) => path)).toEqual(["scan.sh"]);
});
