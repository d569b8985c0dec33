import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHost } from "../lab/host.ts";
import type { LabHost } from "../lab/lab-host.ts";
import { type AlResult, jsonLines } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { hostState } from "../world/host-state.ts";
import { instructions, writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const PROJECT = "two";
/** The first apply builds every image. */
const BUILDS_IMAGES = { timeout: 300_000 };

let world: World;
let second: LabHost;

beforeAll(async () => {
  world = await createWorld("fleet-one", () => {}, { hasBase: true });
  const preload = [world.lab.baseImage];
  second = await startHost(world.lab.engine, { name: "fleet-two", log: () => {}, preload });
  await letIn(world.host, second);
  const { address, port } = world.host;
  await addCredential(world.home, "anthropic_key/default/token", "sk-not-used");
  await writeSampleProject(world.copy, {
    project: PROJECT,
    baseImage: world.lab.baseImage,
    host: { name: "one", address, port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: "http://127.0.0.1:9" },
  });
  const two = `address = "${second.address}"\nuser = "deploy"\nlabels = { role = "spare" }\n`;
  await world.copy.edit("fleet.toml", (text) => `${text}\n[hosts.two]\n${two}`);
  await world.copy.edit("greeter/agent-config.toml", (text) => `${text}hosts = ["one"]\n`);
  const everywhere = `replicas = "all"\n[[webhooks]]\nsource = "hub"\n`;
  await world.copy.write("listener/agent-config.toml", everywhere);
  await world.copy.write("listener/ACTIONS.md", "Listen.\n");
  await world.copy.edit(
    "config.toml",
    (text) => `${text}\n[webhooks.hub]\ntype = "github"\nallowUnsigned = true\n`,
  );
  await push("first");
  await approveBoth();
});

afterAll(async () => {
  await Promise.all([second?.stop(), world?.remove(PROJECT)]);
});

/** Lets the key that opens one host open the other too. */
async function letIn(from: LabHost, to: LabHost): Promise<void> {
  const file = "/home/deploy/.ssh/authorized_keys";
  const { stdout } = await from.exec(["cat", file]);
  await to.exec(["sh", "-c", `cat >> ${file}`], Readable.from([stdout]));
}

async function push(message: string): Promise<string> {
  const revision = await world.copy.commit(message);
  await world.copy.push();
  return revision;
}

async function approveBoth(): Promise<void> {
  const fingerprints = [world.host, second].map(({ hostKeyFingerprint }) => hostKeyFingerprint);
  orFail(await world.al("approve", "host", "one", fingerprints[0] ?? ""));
  orFail(await world.al("approve", "host", "two", fingerprints[1] ?? ""));
  for (const words of ["greeter one", "listener one", "listener two"]) {
    orFail(await world.al("approve", "grant", "anthropic_key:default", ...words.split(" ")));
  }
}

interface Record {
  readonly placements: unknown;
  readonly outcomes: unknown;
  readonly hosts: readonly { readonly host: string; readonly kind: string }[];
}

const last = ({ stdout }: AlResult) => jsonLines(stdout).at(-1) as unknown as Record;
const kinds = (result: AlResult) => last(result).hosts.map(({ host, kind }) => `${host} ${kind}`);
const revisionOn = async (host: LabHost) => (await hostState(host, PROJECT)).current.revision;

test("a plan says where every agent is, and why", async () => {
  const plan = await world.al("plan");
  expect(plan.code).toBe(2);
  expect(plan.stdout.split("\n").slice(0, 3)).toEqual([
    "placement:",
    "  greeter: one (pinned by hosts)",
    "  listener: one, two (on all 2 hosts); locks are per host: two hosts may hold the same one at a time",
  ]);
  expect(plan.stdout.split("\n").at(-1)).toBe("2 hosts: 2 to change");
  expect(last(await world.al("--json", "plan"))).toMatchObject({
    placements: [
      { agent: "greeter", hosts: ["one"], reason: "pinned by hosts" },
      { agent: "listener", hosts: ["one", "two"], reason: "on all 2 hosts" },
    ],
    outcomes: { planned: 2 },
  });
});

test("a host that does not exist is an error with those that do", async () => {
  for (const command of ["plan", "apply", "status"]) {
    const result = await world.al(command, "--host", "three");
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("there is no host three in this fleet");
    expect(result.stderr).toContain("Hosts: one, two");
  }
});

test("an apply to one host leaves the other out, and says so", BUILDS_IMAGES, async () => {
  const applied = orFail(await world.al("apply", "--host", "one"));
  expect(applied.stderr).toContain("left out: two");
  expect(applied.stdout).toMatch(/^one: confirmed at revision/);
  expect(applied.stdout).not.toContain("two");
  expect((await second.exec(["ls", "-A", "/home/deploy"])).stdout).not.toContain(".action-llama");
});

test("a label selects, and status looks only where it is asked to", async () => {
  const applied = orFail(await world.al("--json", "apply", "--label", "role=spare"));
  expect(kinds(applied)).toEqual(["two applied"]);
  const status = orFail(await world.al("--json", "status", "--host", "two"));
  expect(last(status).hosts).toMatchObject([{ host: "two", agents: [{ name: "listener" }] }]);
  const plan = orFail(await world.al("--json", "plan"));
  expect(last(plan).outcomes).toEqual({ "in-sync": 2 });
});

test("runs of several hosts are read together, each line with its host", async () => {
  for (const host of ["one", "two"]) orFail(await world.al("run", "listener", "--host", host));
  const logs = async () => orFail(await world.al("logs", "listener", "--since", "10m")).stdout;
  const starting = (host: string) => new RegExp(`^${host} \\| \\S+ {2}- container starting`, "m");
  await expect.poll(logs, { timeout: 20_000 }).toMatch(starting("one"));
  await expect.poll(logs, { timeout: 20_000 }).toMatch(starting("two"));
  const alone = orFail(await world.al("logs", "listener", "--host", "two")).stdout;
  expect(alone).toMatch(/^\S+ {2}- container starting/m);
  const listed = jsonLines(orFail(await world.al("--json", "runs", "listener")).stdout);
  expect(listed.map(({ host }) => host)).toEqual(["two", "one"]);
  const elsewhere = await world.al("run", "greeter", "--host", "two");
  expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining("It is on: one") });
});

test("what changes something says which hosts it means; a stopped one holds up no other", async () => {
  const unsaid = await world.al("pause", "listener");
  expect(unsaid).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/agent listener is on 2 hosts: one, two\n.*al pause listener --/),
  });
  expect((await world.al("stop")).stderr).toContain("the fleet has 2 hosts: one, two");
  expect(orFail(await world.al("pause", "greeter")).stdout).toMatch(/^one: greeter paused since/);
  const resumed = orFail(await world.al("resume", "greeter", "--all"));
  expect(resumed.stdout).toBe("one: greeter resumed");
  orFail(await world.al("stop", "--label", "role=spare"));
  await world.copy.write("listener/ACTIONS.md", "Listen closely.\n");
  const revision = await push("while two is stopped");
  const applied = orFail(await world.al("--json", "apply"));
  expect(kinds(applied)).toEqual(["one applied", "two stopped"]);
  expect(await revisionOn(second)).not.toBe(revision);
  const queues = await world.al("--json", "queue");
  expect(queues.code).toBe(1);
  expect(jsonLines(queues.stdout).at(-1)).toMatchObject({
    ...{ kind: "host-failed", host: "two", error: { code: "host-stopped" } },
  });
  const started = orFail(await world.al("--json", "start", "--host", "two"));
  expect(jsonLines(started.stdout)).toMatchObject([
    { kind: "started", host: "two", wanted: revision },
  ]);
  expect(kinds(orFail(await world.al("--json", "apply")))).toEqual(["one in-sync", "two applied"]);
});

test("a host that is dead is left behind, and the other gets the commit", async () => {
  const before = await revisionOn(second);
  await world.copy.write("greeter/ACTIONS.md", instructions("banana"));
  await world.copy.write("listener/ACTIONS.md", "Listen well.\n");
  const revision = await push("second");
  await second.kill();
  const applied = await world.al("apply");
  expect(applied.code).toBe(1);
  expect(applied.stdout).toContain(`one: confirmed at revision ${revision.slice(0, 12)}`);
  expect(applied.stdout).toContain("two: unreachable");
  expect(applied.stdout.split("\n").at(-1)).toBe("2 hosts: 1 confirmed, 1 unreachable");
  expect(await revisionOn(world.host)).toBe(revision);
  await second.start();
  expect(await revisionOn(second)).toBe(before);
  expect(kinds(orFail(await world.al("--json", "apply")))).toEqual(["one in-sync", "two applied"]);
  expect(await revisionOn(second)).toBe(revision);
});

test("a host that dies in the middle of its pass stops only its own", async () => {
  await world.copy.write("greeter/ACTIONS.md", instructions("cherry"));
  await world.copy.write("listener/ACTIONS.md", "Listen better.\n");
  const revision = await push("third");
  let killed: Promise<void> | undefined;
  const onLine = (line: string) => {
    if (!/"kind":"action-started","host":"two"/.test(line)) return;
    killed ??= second.kill();
  };
  const applied = await world.alWith({ ...world.options, onLine }, "--json", "apply");
  expect(killed).toBeDefined();
  await killed;
  expect(applied.code).toBe(1);
  expect(kinds(applied)).toEqual([
    "one applied",
    expect.stringMatching(/^two (unreachable|failed)$/),
  ]);
  expect(await revisionOn(world.host)).toBe(revision);
  await second.start();
  expect(orFail(await world.al("apply")).stdout).toContain("two: confirmed at revision");
});
