import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { loadProject } from "../../src/config/load-project.ts";
import { formatProblems } from "../../src/config/problems.ts";
import { desireFleet } from "../../src/core/desire.ts";
import { openSource } from "../../src/git/open-source.ts";
import { directoryTree } from "./config/memory-tree.ts";
import { ASSETS } from "./core/project-fixture.ts";
import { bareOf, commit, git, temporaryDirectory } from "./git/git-fixture.ts";

const examples = join(import.meta.dirname, "../../examples");
const projects = readdirSync(examples).filter((name) =>
  statSync(join(examples, name)).isDirectory(),
);

test.each(projects)(
  "the example %s is a project without problems that can be desired",
  async (name) => {
    const loaded = await loadProject(directoryTree(join(examples, name)));
    const found = loaded.ok ? loaded.warnings : loaded.problems;
    expect(formatProblems(found)).toBe("");
    if (!loaded.ok) return;
    const fleet = desireFleet(loaded.project, ASSETS, "0".repeat(40));
    const agents = fleet.hosts.flatMap(({ spec }) =>
      spec.release.files.filter(({ path }) => path.endsWith("/agent.json")),
    );
    expect(agents).toHaveLength(loaded.project.agents.length);
  },
);

test("the maintainers' scout is built on the base image from its tool alone", async () => {
  const loaded = await loadProject(directoryTree(join(examples, "maintainers")));
  const fleet = loaded.ok ? desireFleet(loaded.project, ASSETS, "0".repeat(40)) : undefined;
  const scout = fleet?.recipes.find(({ image }) => image.name === "agent-dependency-scout");
  expect(scout?.dockerfile).toMatch(/^FROM al-maintainers\/base:[0-9a-f]{12}$/m);
  expect(scout?.context.map(({ path }) => path)).toEqual(["bin/outdated.mjs"]);
});

test("an example read from git gives the same desired state as from its directory", async () => {
  const from = join(examples, "maintainers");
  const work = temporaryDirectory();
  cpSync(from, work, { recursive: true });
  git(work, "init", "--quiet", "--initial-branch=main");
  commit(work);
  const url = bareOf(work);
  const source = await openSource({ url, branch: "main", cacheDir: temporaryDirectory() });
  onTestFinished(() => source.close());
  const tree = await source.tree((await source.fetch()).commit);
  const [fetched, local] = await Promise.all([loadProject(tree), loadProject(directoryTree(from))]);
  expect(fetched.ok && desireFleet(fetched.project, ASSETS, "1")).toEqual(
    local.ok && desireFleet(local.project, ASSETS, "1"),
  );
});

test("the scout's tool tells major, minor and patch changes from a registry", async () => {
  const newest: Record<string, string> = {
    "/left%2fpad/latest": "2.0.0",
    "/b/latest": "1.3.0",
    "/c/latest": "1.2.4",
    "/same/latest": "1.2.3",
    "/older/latest": "1.0.0",
  };
  const registry = createServer((request, response) => {
    const version = newest[(request.url ?? "").replace("@", "")];
    response.statusCode = version ? 200 : 404;
    response.end(JSON.stringify({ version, repository: { url: "https://example.com/r" } }));
  });
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void registry.close());
  const directory = temporaryDirectory();
  const names = ["@left/pad", "b", "c", "same", "older", "gone"];
  const dependencies = Object.fromEntries(names.map((name) => [name, "^1.0.0"]));
  const packages = Object.fromEntries(
    names.map((name) => [`node_modules/${name}`, { version: "1.2.3" }]),
  );
  mkdirSync(join(directory, "app"));
  writeFileSync(join(directory, "app/package.json"), JSON.stringify({ dependencies }));
  writeFileSync(join(directory, "app/package-lock.json"), JSON.stringify({ packages }));
  const { port } = registry.address() as AddressInfo;
  const tool = join(examples, "maintainers/agents/dependency-scout/bin/outdated.mjs");
  const args = [tool, join(directory, "app"), "--registry", `http://127.0.0.1:${port}`];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  const changes = (JSON.parse(stdout) as { name: string; change: string }[]).map(
    ({ name, change }) => `${name} ${change}`,
  );
  expect(changes).toEqual(["@left/pad major", "b minor", "c patch"]);
  expect(stderr).toContain("gone: the registry did not answer (404)");
});
