import { expect, test } from "vitest";
import { ConfigFile } from "../../../src/config/config-file.ts";
import { WebhookTrigger } from "../../../src/config/webhook-filters.ts";
import { describeApproval } from "../../../src/core/approval.ts";
import { doorFacts, explainAltered } from "../../../src/core/container-facts.ts";
import { desireFleet } from "../../../src/core/desire.ts";
import type { HostSpec } from "../../../src/core/desired.ts";
import { doorContainerSpec } from "../../../src/core/door-container.ts";
import type { ImageAssets, ProjectInput } from "../../../src/core/project-input.ts";
import { needsOfRelease } from "../../../src/core/release-needs.ts";
import { ReleasedAgent, ReleasedProject } from "../../../src/core/released.ts";
import { runtimeContainerSpec } from "../../../src/core/runtime-container.ts";
import { resolveTarget } from "../../../src/core/target.ts";
import { observeMachine } from "../../memory-host/observe.ts";
import { createWorld } from "../../memory-host/world.ts";
import { ASSETS, agent, host, project } from "./project-fixture.ts";

const { webhooks } = ConfigFile.parse({
  webhooks: {
    acme: { type: "github", credential: ["old", "new"] },
    unused: { type: "sentry", credential: "default" },
  },
});

/** Two hosts; only the agent on the first listens to a source. */
function specs(
  over: Partial<ProjectInput> = {},
  assets: ImageAssets = ASSETS,
): readonly [HostSpec, HostSpec] {
  const listens = [
    WebhookTrigger.parse({ source: "acme", events: "issues", labels: ["bug", "help"] }),
  ];
  const agents = [
    agent("triage", { webhooks: listens, placement: { hosts: ["one"], replicas: 1 } }),
    agent("gateway", { placement: { hosts: ["two"], replicas: 1 } }),
  ];
  const gateway = { port: 9000, lockTimeoutSeconds: 1800 };
  const hosts = [host("one"), host("two")];
  const input = { ...project([], []), webhooks, agents, gateway, hosts, ...over };
  const [one, two] = desireFleet(input, assets, "1".repeat(40)).hosts.map(({ spec }) => spec);
  if (!one || !two) throw new TypeError("two hosts are asked for");
  return [one, two];
}

function json({ release }: HostSpec, path: string): unknown {
  const content = release.files.find((file) => file.path === path)?.content;
  return JSON.parse(new TextDecoder().decode(content));
}

function targetOf(spec: HostSpec) {
  return resolveTarget(spec, observeMachine(createWorld().machine, spec.project), []);
}

/** The container that has the port. */
function doorOf(spec: HostSpec) {
  const { door } = targetOf(spec);
  if (!door) throw new TypeError("this host has no door");
  return doorContainerSpec(door, {});
}

test("a release has the sources its agents listen to, and what each listens for", () => {
  const [one, two] = specs();
  expect(ReleasedProject.parse(json(one, "project.json")).webhooks).toEqual({
    acme: {
      ...{ type: "github", credential: ["old", "new"] },
      ...{ allowUnsigned: false, rateLimit: 6000 },
    },
  });
  expect(ReleasedAgent.parse(json(one, "agents/triage/agent.json")).webhooks).toEqual([
    { source: "acme", filter: { events: ["issues"], labels: ["bug", "help"] } },
  ]);
  expect(json(two, "project.json")).not.toHaveProperty("webhooks");
  expect(json(two, "agents/gateway/agent.json")).not.toHaveProperty("webhooks");
});

test("a webhook's secrets go to the gateway of hosts that need them, and to no agent", () => {
  const [one, two] = specs();
  const users = ({ credentials }: HostSpec) =>
    credentials.map(({ type, instance, fields, agents }) => [type, instance, fields, agents]);
  expect(users(one)).toEqual([
    ["anthropic_key", "default", ["token"], ["triage"]],
    ["github_webhook_secret", "new", ["secret"], ["gateway"]],
    ["github_webhook_secret", "old", ["secret"], ["gateway"]],
  ]);
  expect(users(two)).toEqual([["anthropic_key", "default", ["token"], ["gateway"]]]);
  const { credentials } = ReleasedAgent.parse(json(one, "agents/triage/agent.json"));
  expect(credentials).toEqual(["anthropic_key"]);
});

test("what a live release needs is read from its own files, its gateway's secrets too", () => {
  for (const { release, credentials } of specs()) {
    const files = new Map(release.files.map(({ path, content }) => [path, content]));
    expect(needsOfRelease({ host: "one", hash: release.hash, files })).toEqual(credentials);
  }
});

test("an operator is asked for the gateway, not for an agent", () => {
  const grant = { kind: "grant", agent: "gateway", host: "one", remote: "/srv/repo" } as const;
  expect(describeApproval({ ...grant, credential: "github_webhook_secret:acme" })).toBe(
    "may the gateway of /srv/repo have credential github_webhook_secret:acme on host one?",
  );
  expect(describeApproval({ ...grant, credential: "anthropic_key:default" })).toBe(
    "may agent gateway of /srv/repo have credential anthropic_key:default on host one?",
  );
});

test("a door holds a port on the host's loopback, and only where an agent listens", () => {
  const [one, two] = specs();
  expect(doorOf(one).ports).toEqual([{ hostIp: "127.0.0.1", hostPort: 9000, containerPort: 7080 }]);
  expect(one.images.map(({ name }) => name)).toContain("door");
  expect(targetOf(one).current.door).toBe(doorOf(one).name);
  expect(targetOf(two)).toMatchObject({ door: undefined });
  expect(targetOf(two).current).not.toHaveProperty("door");
  expect(two.images.map(({ name }) => name)).not.toContain("door");
  for (const spec of [one, two]) {
    const { ports } = runtimeContainerSpec(targetOf(spec).container, {});
    expect(ports).toMatchObject([{ hostPort: 7070 }]);
  }
});

test("with `control` every host's gateway has a key and listens, and the release says so", () => {
  const gateway = { port: 9000, lockTimeoutSeconds: 1800, control: true };
  for (const spec of specs({ gateway })) {
    const { release, credentials } = spec;
    const key = {
      type: "gateway_api_key",
      instance: "default",
      fields: ["key"],
      agents: ["gateway"],
    };
    expect(credentials).toContainEqual(key);
    expect(doorOf(spec).ports.map(({ hostPort }) => hostPort)).toEqual([9000]);
    expect(json(spec, "project.json")).toMatchObject({ control: true });
    const files = new Map(release.files.map(({ path, content }) => [path, content]));
    expect(needsOfRelease({ host: "one", hash: release.hash, files })).toEqual(credentials);
  }
  const [, without] = specs();
  expect(json(without, "project.json")).not.toHaveProperty("control");
});

test("a door sees the runtime's socket and may do nothing", () => {
  const [one] = specs();
  const { projectDir, uid, gid } = targetOf(one).container;
  expect(doorOf(one)).toMatchObject({
    ...{ user: `${uid}:${gid}`, groupAdd: [], capDrop: ["ALL"] },
    ...{ readOnlyRoot: true, noNewPrivileges: true },
    mounts: [{ kind: "bind", source: `${projectDir}/door`, target: "/door", readOnly: true }],
  });
});

test("another port is another door, and the same runtime; another runtime keeps the door", () => {
  const [before] = specs();
  const [moved] = specs({ gateway: { port: 9001, lockTimeoutSeconds: 1800 } });
  expect(doorOf(moved).name).not.toBe(doorOf(before).name);
  expect(targetOf(moved).container.name).toBe(targetOf(before).container.name);
  const assets = { ...ASSETS, runtimeDockerfile: `${ASSETS.runtimeDockerfile}# newer\n` };
  const [newer] = specs({}, assets);
  expect(targetOf(newer).container.name).not.toBe(targetOf(before).container.name);
  expect(doorOf(newer).name).toBe(doorOf(before).name);
});

test("a door whose port is not published any more was altered", () => {
  const [one] = specs();
  const { door } = targetOf(one);
  if (!door || !one.door) throw new TypeError("this host has no door");
  const wanted = doorFacts(door, one.door.imageSpecHash);
  expect(explainAltered(wanted, { ...wanted, ports: "" })).toBe(
    "its ports: none instead of 127.0.0.1:9000->7080",
  );
});
