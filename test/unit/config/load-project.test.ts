import { expect, test } from "vitest";
import { loadProject } from "../../../src/config/load-project.ts";
import { formatProblems } from "../../../src/config/problems.ts";
import type { ProjectConfig } from "../../../src/config/project-config.ts";
import { memoryTree, SMALL_PROJECT } from "./memory-tree.ts";

const HERE = { directoryName: "My Agents" };

async function load(files: Readonly<Record<string, string>>): Promise<ProjectConfig> {
  const loaded = await loadProject(memoryTree({ ...SMALL_PROJECT, ...files }), HERE);
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems));
  return loaded.project;
}

test("a small project gets every default and its directory's name", async () => {
  const project = await load({});
  expect(project).toMatchObject({
    name: "my-agents",
    scale: undefined,
    maxReruns: 10,
    maxCallDepth: 3,
    workQueueSize: 100,
    timezone: undefined,
    baseImage: "node:24-slim",
    baseAliases: ["al-agent:latest"],
    dockerfile: undefined,
    hosts: [],
    gateway: { port: 8080, lockTimeoutSeconds: 1800, url: undefined },
    webhooks: {},
    source: { url: undefined, branch: "main", intervalSeconds: 60 },
    rollout: { parallelHosts: 10, confirmTimeoutMs: 90_000 },
    lockedHosts: {},
  });
  expect(project.agents).toEqual([
    {
      name: "dev",
      directory: "dev",
      model: {
        provider: "anthropic",
        model: "claude-sonnet-4-5",
        authType: "api_key",
        thinkingLevel: undefined,
        baseUrl: undefined,
      },
      credentials: [],
      schedule: "0 * * * *",
      catchUp: "none",
      jitterSeconds: 0,
      onInterrupted: "none",
      timezone: undefined,
      scale: 1,
      placement: undefined,
      timeoutSeconds: 3600,
      memoryBytes: 4 * 2 ** 30,
      cpus: 2,
      params: {},
      webhooks: [],
      preflight: [],
      instructions: new TextEncoder().encode("Look around.\n"),
      dockerfile: undefined,
    },
  ]);
});

test("hosts take defaults from fleet.toml and addresses from fleet.lock.toml", async () => {
  const project = await load({
    "fleet.toml": `
[project]
name = "acme"
[defaults]
user = "deploy"
[hosts.b]
address = "2001:db8::1"
port = 2222
architecture = "arm64"
labels = { region = "fra" }
[hosts.a]
provider = "vultr"
region = "ams"
plan = "vc2-1c-1gb"
tags = ["team-a", "team-a"]
sshFrom = ["203.0.113.7"]
[hosts.d]
provider = "vultr"
region = "fra"
plan = "vc2-2c-4gb"
os = "debian-12"
ipv6 = true
user = "ops"
[hosts.c]
provider = "local"
`,
    "fleet.lock.toml": `
[hosts.a]
instanceId = "i-1"
address = "192.0.2.9"
user = "made"
hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGf"
`,
  });
  expect(project.name).toBe("acme");
  const common = { port: 22, user: "deploy", architecture: "amd64", labels: {} };
  expect(project.hosts).toEqual([
    { host: "a", provider: "vultr", address: "192.0.2.9", ...common, user: "made" },
    {
      host: "b",
      provider: "ssh",
      address: "2001:db8::1",
      port: 2222,
      user: "deploy",
      architecture: "arm64",
      labels: { region: "fra" },
    },
    { host: "c", provider: "local", address: "localhost", ...common },
    { host: "d", provider: "vultr", address: "", ...common, user: "ops" },
  ]);
  expect(Object.fromEntries(project.machines)).toEqual({
    a: {
      ...{ region: "ams", plan: "vc2-1c-1gb", os: "debian-13", user: "deploy" },
      ...{ tags: ["team-a"], ipv6: false, sshFrom: ["203.0.113.7"] },
    },
    d: {
      ...{ region: "fra", plan: "vc2-2c-4gb", os: "debian-12", user: "ops" },
      ...{ tags: [], ipv6: true },
    },
  });
  expect(project.lockedHosts).toHaveProperty("a.instanceId", "i-1");
});

test("an agent keeps its placement in a fleet, and is told that it means nothing without one", async () => {
  const fleet =
    '[project]\nname = "acme"\n[hosts.a]\naddress = "192.0.2.1"\nlabels = { region = "fra" }\n';
  const config = 'schedule = "0 * * * *"\nhosts = ["a"]\nlabels = { region = "fra" }\n';
  const project = await load({ "fleet.toml": fleet, "dev/agent-config.toml": config });
  expect(project.agents[0]?.placement).toEqual({
    hosts: ["a"],
    labels: { region: "fra" },
    replicas: 1,
  });
  const alone = await loadProject(
    memoryTree({ ...SMALL_PROJECT, "dev/agent-config.toml": config }),
    HERE,
  );
  expect(alone.ok && alone.project.agents[0]?.placement).toBeUndefined();
  expect(alone.ok && formatProblems(alone.warnings).split("\n")).toEqual([
    "dev/agent-config.toml:2: hosts: has no effect: without a fleet.toml there are no hosts to choose from",
    "dev/agent-config.toml:3: labels: has no effect: without a fleet.toml there are no hosts to choose from",
  ]);
});

test("drift is healed unless the fleet, or a host of it, says that it is only reported", async () => {
  const driftOf = async (rollout: string, host: string) => {
    const text = `[project]\nname = "acme"\n${rollout}\n[hosts.a]\naddress = "192.0.2.1"\n${host}\n`;
    return (await load({ "fleet.toml": text })).hosts[0]?.drift;
  };
  const report = 'drift = "report"';
  expect(await driftOf("", "")).toBeUndefined();
  expect(await driftOf(`[rollout]\n${report}`, "")).toBe("report");
  expect(await driftOf(`[rollout]\n${report}`, 'drift = "heal"')).toBeUndefined();
  expect(await driftOf("", report)).toBe("report");
});

test("an agent's model is filled from the project's, but not across providers", async () => {
  const project = await load({
    "config.toml": `[model]
provider = "anthropic"
model = "claude-sonnet-4-5"
thinkingLevel = "low"
baseUrl = "http://127.0.0.1:9999"
`,
    "agents/same/ACTIONS.md": "x",
    "agents/same/agent-config.toml": 'scale = 0\n[model]\nmodel = "claude-opus-4-5"\n',
    "agents/other/ACTIONS.md": "x",
    "agents/other/agent-config.toml": 'scale = 0\n[model]\nprovider = "openai"\nmodel = "gpt-5"\n',
  });
  const models = Object.fromEntries(project.agents.map(({ name, model }) => [name, model]));
  const inherited = { provider: "anthropic", authType: "api_key", thinkingLevel: "low" };
  expect(models.same).toMatchObject({
    ...inherited,
    model: "claude-opus-4-5",
    baseUrl: "http://127.0.0.1:9999",
  });
  expect(models.other).toMatchObject({ provider: "openai", baseUrl: undefined });
  expect(models.other?.thinkingLevel).toBe("low");
});

test("a Dockerfile's context holds what it copies and nothing else", async () => {
  const project = await load({
    Dockerfile: "FROM al-agent:latest\nCOPY tools/*.sh /opt/\n",
    "tools/a.sh": "#!/bin/sh\n",
    "tools/notes.txt": "n",
    "dev/Dockerfile": "FROM al-agent:latest\nCOPY . /opt/dev\n",
    "dev/scan.sh": "#!/bin/sh\n",
  });
  expect(project.dockerfile?.context.map(({ path }) => path)).toEqual(["tools/a.sh"]);
  expect(project.agents[0]?.dockerfile).toMatchObject({
    path: "dev/Dockerfile",
    context: [{ path: "scan.sh", executable: true }],
  });
});

test("bare Dockerfiles count as none, under the base image's other name too", async () => {
  const project = await load({
    "config.toml": `${SMALL_PROJECT["config.toml"]}[local]\nimage = "acme/base"\n`,
    Dockerfile: "# nothing yet\nFROM acme/base:latest\n",
    "dev/Dockerfile": "FROM al-agent",
  });
  expect(project.baseAliases).toEqual(["al-agent:latest", "acme/base:latest"]);
  expect(project.dockerfile).toBeUndefined();
  expect(project.agents[0]?.dockerfile).toBeUndefined();
});

test("apk in a Dockerfile chooses the Alpine base where none is set", async () => {
  const project = await load({
    "dev/Dockerfile": "FROM al-agent:latest\nUSER root\nRUN apk add --no-cache jq\nUSER node\n",
  });
  expect(project.baseImage).toBe("node:24-alpine");
});

test("warnings name what is ignored or does nothing", async () => {
  const loaded = await loadProject(
    memoryTree({
      ...SMALL_PROJECT,
      ".env.toml": 'environment = "prod"\n',
      "config.toml": `${SMALL_PROJECT["config.toml"]}[webhooks.gh]\ntype = "github"\n`,
      "dev/agent-config.toml":
        'schedule = "0 * * * *"\ncredentials = ["github_tokn", "gateway_api_key"]\n',
      "notes/ACTIONS.md": "x",
    }),
    HERE,
  );
  expect(loaded.ok && formatProblems(loaded.warnings).split("\n")).toEqual([
    ".env.toml: is ignored: it is for one machine, never for a fleet (take it out of the repository)",
    "config.toml:4: webhooks.gh: every delivery is refused: there is nothing to check its signature with (set `credential`, or `allowUnsigned = true` to take unsigned ones)",
    "dev/agent-config.toml:2: credentials[0]: `github_tokn` is no built-in credential type; did you mean `github_token`?",
    "dev/agent-config.toml:2: credentials[1]: `gateway_api_key` belongs to the gateway, which takes it by itself; runs do not get it (take it off the list)",
    "notes/ACTIONS.md: is not used: there is no agent-config.toml beside it",
  ]);
  expect(loaded.ok && loaded.project.agents[0]?.credentials).toEqual(["github_tokn"]);
});

test("images are built on this machine, or on a host that fleet.toml names", async () => {
  const fleet =
    '[project]\nname = "sample"\n[hosts.big]\naddress = "10.0.0.1"\n[hosts.small]\naddress = "10.0.0.2"\n';
  const withBuilder = (builder: string) => ({
    "config.toml": `${SMALL_PROJECT["config.toml"]}[images]\nbuilder = "${builder}"\n`,
    "fleet.toml": fleet,
  });
  expect((await load(withBuilder("local"))).builder).toBeUndefined();
  expect((await load(withBuilder("big"))).builder).toBe("big");
  const loaded = await loadProject(memoryTree({ ...SMALL_PROJECT, ...withBuilder("bgi") }));
  expect(loaded.ok ? [] : loaded.problems).toMatchObject([
    {
      file: "config.toml",
      line: 5,
      keyPath: "images.builder",
      message: "no host `bgi` is in fleet.toml",
      hint: "did you mean `big`?",
    },
  ]);
});

test("how long runs are kept is left out where the project does not say", async () => {
  const config = (retention: string) => ({
    "config.toml": `${SMALL_PROJECT["config.toml"]}\n[retention]\n${retention}`,
  });
  expect(await load({})).not.toHaveProperty("retention");
  expect((await load(config("days = 7"))).retention).toEqual({ days: 7, logBytes: 2 * 2 ** 30 });
  const both = await load(config('days = 90\nlogs = "500m"'));
  expect(both.retention).toEqual({ days: 90, logBytes: 500 * 2 ** 20 });
  const wrong = load(config('days = 1\nlogs = "1m"'));
  await expect(wrong).rejects.toThrow(/days.*\n.*logs.*must be at least 64m: one run alone/s);
});
