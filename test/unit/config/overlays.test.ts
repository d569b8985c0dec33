import { expect, test } from "vitest";
import { type LoadOptions, loadProject } from "../../../src/config/load-project.ts";
import { namedEnvironment } from "../../../src/config/overlays.ts";
import { formatProblems } from "../../../src/config/problems.ts";
import { memoryTree, SMALL_PROJECT } from "./memory-tree.ts";

const overlay = (file: string, text: string) => ({ file, bytes: Buffer.from(text) });

async function load(config: string, ...overlays: NonNullable<LoadOptions["overlays"]>) {
  const tree = memoryTree({ ...SMALL_PROJECT, "config.toml": config });
  return loadProject(tree, { directoryName: "here", overlays });
}

const CONFIG = `
scale = 1
[model]
provider = "anthropic"
model = "claude-a"
[webhooks.one]
type = "github"
allowUnsigned = true
`;

test("a later file's tables are laid into an earlier one's, value by value", async () => {
  const loaded = await load(
    CONFIG,
    overlay(
      ".env.toml",
      'environment = "home"\n[model]\nmodel = "claude-b"\n[local]\nmemory = "1g"',
    ),
    overlay("home.toml", '[local]\nmemory = "2g"\ncpus = 1\n[webhooks.two]\ntype = "sentry"'),
  );
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems));
  const [agent] = loaded.project.agents;
  expect(agent?.model).toMatchObject({ provider: "anthropic", model: "claude-b" });
  expect(agent).toMatchObject({ memoryBytes: 2 * 1024 ** 3, cpus: 1 });
  expect(loaded.project.scale).toBe(1);
  expect(Object.keys(loaded.project.webhooks)).toEqual(["one", "two"]);
});

test("a problem names the file and line that the value is from", async () => {
  const loaded = await load(
    `${CONFIG}allowUnsignd = true\n`,
    overlay(".env.toml", "\n[local]\nmemory = 5\ncpu = 1"),
    overlay("home.toml", "scale = 0"),
  );
  if (loaded.ok) throw new Error("not refused");
  const report = formatProblems(loaded.problems);
  expect(report).toContain(".env.toml:3: local.memory");
  expect(report).toContain(".env.toml:4: local.cpu: unknown field `cpu`; did you mean `cpus`?");
  expect(report).toContain("config.toml:9: webhooks.one.allowUnsignd: unknown field");
  expect(report).toContain("home.toml:1: scale");
});

test("files that are no TOML are all reported", async () => {
  const loaded = await load("[", overlay(".env.toml", "=\n"));
  if (loaded.ok) throw new Error("not refused");
  expect(loaded.problems.map(({ file }) => file)).toEqual([".env.toml", "config.toml"]);
});

test(".env.toml may name the environment, by a plain name only", () => {
  const named = (text: string) => namedEnvironment(overlay(".env.toml", text));
  expect(namedEnvironment(undefined)).toEqual({ problems: [] });
  expect(named('environment = "staging"')).toEqual({ name: "staging", problems: [] });
  expect(named('environment = "../x"').problems).toHaveLength(1);
  expect(named("environment = 3").problems).toHaveLength(1);
});
