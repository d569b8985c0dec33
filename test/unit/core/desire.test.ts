import fc from "fast-check";
import { expect, test } from "vitest";
import { desireFleet } from "../../../src/core/desire.ts";
import type { FleetSpec } from "../../../src/core/desired.ts";
import { sha256, treeHash } from "../../../src/core/fingerprint.ts";
import { ReleasedAgent, ReleasedProject } from "../../../src/core/released.ts";
import { ASSETS, agent, host, project } from "./project-fixture.ts";

const REVISION = "1".repeat(40);

function contents(fleet: FleetSpec, index = 0): Record<string, string> {
  const files = fleet.hosts[index]?.spec.release.files ?? [];
  return Object.fromEntries(
    files.map(({ path, content }) => [path, new TextDecoder().decode(content)]),
  );
}

test("a release carries an agent's preflight steps, and nothing where there are none", () => {
  const steps = [
    { provider: "shell", required: false, params: { command: "true" } },
    { provider: "git-clone", required: true, params: { repo: "a/b", dest: "b", depth: 1 } },
  ] as const;
  const agents = [agent("a", { preflight: steps }), agent("b", { preflight: [] })];
  const files = contents(desireFleet({ ...project(["one"], []), agents }, ASSETS, REVISION));
  const released = (name: string) =>
    ReleasedAgent.parse(JSON.parse(files[`agents/${name}/agent.json`] ?? ""));
  expect(released("a").preflight).toEqual(steps);
  expect(released("b")).not.toHaveProperty("preflight");
});

test("a release has the project, and for each agent its settings and its instructions", () => {
  const input = { ...project(["one"], ["b", "a"]), scale: 4 };
  const fleet = desireFleet(input, ASSETS, REVISION);
  const files = contents(fleet);
  expect(Object.keys(files)).toEqual([
    "agents/a/ACTIONS.md",
    "agents/a/agent.json",
    "agents/b/ACTIONS.md",
    "agents/b/agent.json",
    "project.json",
  ]);
  expect(files["agents/a/ACTIONS.md"]).toBe("do a\n");
  const base = fleet.recipes.find(({ image }) => image.name === "base")?.image.reference;
  expect(ReleasedProject.parse(JSON.parse(files["project.json"] ?? ""))).toEqual({
    project: "acme",
    scale: 4,
    maxReruns: 10,
    workQueueSize: 100,
    maxCallDepth: 3,
    lockTimeoutSeconds: 1800,
    baseImage: base,
    agents: ["a", "b"],
  });
  expect(ReleasedAgent.parse(JSON.parse(files["agents/b/agent.json"] ?? ""))).toEqual({
    name: "b",
    image: base,
    model: { provider: "anthropic", model: "claude-sonnet-4-5", authType: "api_key" },
    credentials: ["anthropic_key"],
    schedule: "0 * * * *",
    scale: 1,
    timeoutSeconds: 3600,
    memoryBytes: 2 ** 32,
    cpus: 2,
    params: {},
  });
  const release = fleet.hosts[0]?.spec.release;
  expect(release?.hash).toBe(treeHash(release?.files ?? []));
  for (const file of release?.files ?? []) expect(file.hash).toBe(sha256(file.content));
});

test("images are built base first, each on the one below it", () => {
  const input = {
    ...project(["one"], ["plain"]),
    dockerfile: { path: "Dockerfile", text: "FROM al-agent:latest\nRUN true\n", context: [] },
  };
  const own = { path: "own/Dockerfile", text: "FROM al-agent AS x\nCOPY a /a\n", context: [] };
  const free = { path: "free/Dockerfile", text: "FROM debian:13\n", context: [] };
  const agents = [
    ...input.agents,
    agent("own", { dockerfile: own }),
    agent("free", { dockerfile: free }),
  ];
  const { recipes, hosts } = desireFleet({ ...input, agents }, ASSETS, REVISION);
  const byName = new Map(recipes.map((recipe) => [recipe.image.name, recipe]));
  expect([...byName.keys()]).toEqual(["base", "runtime", "project", "agent-free", "agent-own"]);
  const base = byName.get("base");
  const middle = byName.get("project");
  expect(base?.buildArgs).toEqual({ BASE: "node:24-slim" });
  expect(base?.image.reference).toBe(`al-acme/base:${base?.image.specHash.slice(0, 12)}`);
  expect(middle?.dockerfile).toBe(`FROM ${base?.image.reference}\nRUN true\n`);
  expect(middle?.needs).toEqual([base?.image.reference]);
  expect(byName.get("agent-own")?.dockerfile).toContain(`FROM ${middle?.image.reference} AS x\n`);
  expect(byName.get("agent-own")?.needs).toEqual([middle?.image.reference]);
  expect(byName.get("agent-free")?.needs).toEqual([]);
  const images = hosts[0]?.spec.images.map(({ name }) => name);
  expect(images).toEqual(["agent-free", "agent-own", "base", "project", "runtime"]);
});

test("an image's hash follows what it is built from, through the images below it", () => {
  const hashes = (assets = ASSETS, base = "node:24-slim", content = "1") => {
    const context = [
      { path: "tool", executable: true, content: new TextEncoder().encode(content) },
    ];
    const dockerfile = {
      path: "a/Dockerfile",
      text: "FROM al-agent:latest\nCOPY tool /\n",
      context,
    };
    const input = {
      ...project(["one"], []),
      baseImage: base,
      agents: [agent("a", { dockerfile })],
    };
    const { recipes } = desireFleet(input, assets, REVISION);
    return Object.fromEntries(recipes.map(({ image }) => [image.name, image.specHash]));
  };
  const before = hashes();
  expect(hashes()).toEqual(before);
  const copied = hashes(ASSETS, "node:24-slim", "2");
  expect(copied["agent-a"]).not.toBe(before["agent-a"]);
  expect(copied.base).toBe(before.base);
  const rebased = hashes(ASSETS, "node:24-alpine");
  for (const name of ["base", "runtime", "agent-a"]) expect(rebased[name]).not.toBe(before[name]);
  const changed = hashes({ ...ASSETS, agentContext: [] });
  expect(changed["agent-a"]).not.toBe(before["agent-a"]);
  expect(changed.runtime).toBe(before.runtime);
});

test("our own Dockerfiles get their base as a build argument, whatever its package manager", () => {
  for (const baseImage of ["node:24-slim", "node:24-alpine"]) {
    const { recipes } = desireFleet({ ...project(["one"], ["a"]), baseImage }, ASSETS, REVISION);
    const ours = recipes.filter(({ image }) => ["base", "runtime"].includes(image.name));
    expect(ours.map(({ buildArgs }) => buildArgs)).toEqual([
      { BASE: baseImage },
      { BASE: baseImage },
    ]);
  }
});

test("a changed prompt changes one host's release and no image", () => {
  const input = project(["one", "two"], ["a", "b", "c", "d", "e"]);
  const before = desireFleet(input, ASSETS, REVISION);
  const instructions = new TextEncoder().encode("something else\n");
  const agents = input.agents.map((each) => (each.name === "c" ? { ...each, instructions } : each));
  const after = desireFleet({ ...input, agents }, ASSETS, REVISION);
  expect(after.recipes).toEqual(before.recipes);
  const changed = after.hosts.filter(
    ({ spec }, index) => spec.release.hash !== before.hosts[index]?.spec.release.hash,
  );
  expect(changed).toHaveLength(1);
  expect(changed[0]?.spec.release.files.map(({ path }) => path)).toContain("agents/c/ACTIONS.md");
});

test("a host needs what its agents declare and their models' keys, and nothing else", () => {
  const agents = [
    agent("a", { credentials: ["github_token", "github_token:default", "git_ssh:botty"] }),
    agent("b", { credentials: ["github_token", "anthropic_key:team", "my_own"] }),
    agent("c", { model: { provider: "openai", model: "gpt-5", authType: "api_key" } }),
  ];
  const fleet = desireFleet({ ...project(["one"], []), agents }, ASSETS, REVISION);
  expect(fleet.hosts[0]?.spec.credentials).toEqual([
    { type: "anthropic_key", instance: "default", fields: ["token"], agents: ["a"] },
    { type: "anthropic_key", instance: "team", fields: ["token"], agents: ["b"] },
    { type: "git_ssh", instance: "botty", fields: ["id_rsa", "username", "email"], agents: ["a"] },
    { type: "github_token", instance: "default", fields: ["token"], agents: ["a", "b"] },
    { type: "my_own", instance: "default", fields: [], agents: ["b"] },
    { type: "openai_key", instance: "default", fields: ["token"], agents: ["c"] },
  ]);
  const released = JSON.parse(contents(fleet)["agents/b/agent.json"] ?? "");
  expect(released.credentials).toEqual(["github_token", "anthropic_key:team", "my_own"]);
});

test("every agent is on exactly one host, disabled ones too", () => {
  const input = project(["one", "two", "three"], ["a", "b", "c", "d", "e", "f"]);
  const agents = input.agents.map((each) => (each.name === "b" ? { ...each, scale: 0 } : each));
  const { hosts } = desireFleet({ ...input, agents }, ASSETS, REVISION);
  expect(hosts.map(({ spec }) => spec.host)).toEqual(["one", "three", "two"]);
  const placed = hosts.flatMap(({ spec }) =>
    spec.release.files.flatMap(({ path }) => /^agents\/(.*)\/agent.json$/.exec(path)?.[1] ?? []),
  );
  expect(placed.sort()).toEqual(["a", "b", "c", "d", "e", "f"]);
});

test("images are built for each architecture that is in use", () => {
  const input = project([], ["a", "b"]);
  const hosts = [host("arm", { architecture: "arm64" }), host("intel")];
  const { recipes } = desireFleet({ ...input, hosts }, ASSETS, REVISION);
  const bases = recipes.filter(({ image }) => image.name === "base");
  expect(bases.map(({ architecture }) => architecture)).toEqual(["amd64", "arm64"]);
  expect(new Set(bases.map(({ image }) => image.reference)).size).toBe(2);
});

test("without hosts nothing is desired, and a host without agents still has a runtime", () => {
  expect(desireFleet(project([], ["a"]), ASSETS, REVISION)).toEqual({
    project: "acme",
    revision: REVISION,
    rollout: { parallelHosts: 10, confirmTimeoutMs: 90_000 },
    hosts: [],
    placements: [{ agent: "a", hosts: [], reason: "no host to choose from" }],
    recipes: [],
  });
  const idle = desireFleet(project(["one"], []), ASSETS, REVISION).hosts[0]?.spec;
  expect(idle?.images.map(({ name }) => name)).toEqual(["base", "runtime"]);
  expect(idle?.runtime.imageSpecHash).toBe(idle?.images[1]?.specHash);
});

test("equal input gives byte-equal desired state, in whatever order it comes", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
  const names = fc.uniqueArray(name, { maxLength: 6 });
  const text = (fleet: FleetSpec) =>
    JSON.stringify(fleet, (_key, value) => (value instanceof Uint8Array ? [...value] : value));
  fc.assert(
    fc.property(names, names, (hosts, agents) => {
      const input = project(hosts, agents);
      const reversed = {
        ...input,
        hosts: input.hosts.toReversed(),
        agents: input.agents.toReversed(),
      };
      const once = text(desireFleet(input, ASSETS, REVISION));
      expect(text(desireFleet(structuredClone(reversed), ASSETS, REVISION))).toBe(once);
    }),
    { numRuns: 50 },
  );
});
