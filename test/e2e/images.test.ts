import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { connectEngine } from "../lab/engine.ts";
import { startHost } from "../lab/host.ts";
import type { LabHost } from "../lab/lab-host.ts";
import { type ModelServer, startModelServer } from "../model-server/server.ts";
import { type AlResult, jsonLines } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { hostState } from "../world/host-state.ts";
import { writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const PROJECT = "pictures";
const KEY = "sk-pictures";
/** The first apply builds every image. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
const PATIENCE = { timeout: 60_000, interval: 500 };

let world: World;
let big: LabHost;
let model: ModelServer;

beforeAll(async () => {
  world = await createWorld("pictures-one", () => {});
  const { host, lab, home, copy } = world;
  big = await startHost(lab.engine, {
    ...{ name: "pictures-big", log: () => {}, preload: [lab.baseImage] },
  });
  const keys = "/home/deploy/.ssh/authorized_keys";
  const { stdout } = await host.exec(["cat", keys]);
  await big.exec(["sh", "-c", `cat >> ${keys}`], Readable.from([stdout]));
  model = await startModelServer({ host: host.gatewayAddress, expectedKey: KEY, script: [] });
  await addCredential(home, "anthropic_key/default/token", `${KEY}\n`);
  await writeSampleProject(copy, {
    project: PROJECT,
    baseImage: lab.baseImage,
    host: { name: "one", address: host.address, port: host.port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: model.url },
  });
  await copy.edit("config.toml", (text) => text.replace("[images]", '[images]\nbuilder = "big"'));
  const there = `[hosts.big]\naddress = "${big.address}"\nuser = "deploy"\n`;
  await copy.edit("fleet.toml", (text) => `${text}\n${there}`);
  await copy.edit("greeter/agent-config.toml", (text) => `${text}hosts = ["one"]\n`);
  await copy.write("packer/agent-config.toml", 'schedule = "0 5 1 1 *"\nhosts = ["big"]\n');
  await copy.write("packer/ACTIONS.md", "Pack.\n");
  await copy.write("packer/tools/pack.sh", "echo packed\n");
  await copy.write("packer/Dockerfile", "FROM al-agent:latest\nCOPY tools /opt/tools\n");
  await push("first");
  for (const [name, machine] of Object.entries({ one: host, big })) {
    orFail(await world.al("approve", "host", name, machine.hostKeyFingerprint));
  }
  for (const where of ["greeter one", "packer big"]) {
    orFail(await world.al("approve", "grant", "anthropic_key:default", ...where.split(" ")));
  }
});

afterAll(async () => {
  await Promise.all([model?.close(), big?.stop(), world?.remove(PROJECT)]);
});

async function push(message: string): Promise<void> {
  await world.copy.commit(message);
  await world.copy.push();
}

const on = async (host: LabHost, script: string) => {
  const { stdout, stderr, code } = await host.exec(["sh", "-c", script]);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
};
const imagesOn = async (host: LabHost, name = "*") => {
  const format = "{{.Repository}}:{{.Tag}}";
  const found = await on(host, `docker images 'al-${PROJECT}/${name}' --format '${format}'`);
  return found.split("\n").filter(Boolean).sort();
};
const namesOn = async (host: LabHost) =>
  (await imagesOn(host)).map((image) => image.replace(/^.*\/|:.*$/g, ""));
const inventoryOf = async (host: LabHost) =>
  on(host, `cat /home/deploy/.action-llama/projects/${PROJECT}/applied.json`);
const exported = () =>
  readdir(join(world.home, ".action-llama/controller/images/layers")).catch(() => []);

interface Last {
  readonly hosts: readonly { readonly host: string; readonly kind: string }[];
}
const kinds = ({ stdout }: AlResult) =>
  (jsonLines(stdout).at(-1) as unknown as Last).hosts.map(({ host, kind }) => `${host} ${kind}`);

function say(command: string): void {
  const toolCalls = [{ name: "bash", input: { command } }];
  model.use([{ turns: [{ toolCalls }, { text: "done" }] }]);
}

test("what is wanted on the host that builds it is built there, and goes nowhere", async () => {
  const applied = orFail(await world.al("--json", "apply", "--host", "big"));
  expect(kinds(applied)).toEqual(["big applied"]);
  expect(await exported()).toEqual([]);
  expect(await namesOn(big)).toEqual(["agent-packer", "base", "runtime"]);
  const [image] = await imagesOn(big, "agent-packer");
  expect(await on(big, `docker run --rm --entrypoint sh ${image} /opt/tools/pack.sh`)).toBe(
    "packed",
  );
});

test("another host gets its images from there, and a run works with its own file", async () => {
  const applied = orFail(await world.al("--json", "apply"));
  expect(kinds(applied)).toEqual(["big in-sync", "one applied"]);
  expect(await namesOn(world.host)).toEqual(["agent-greeter", "base", "runtime"]);
  expect(await namesOn(big)).toContain("agent-greeter");
  expect((await exported()).length).toBeGreaterThan(2);
  const docker = connectEngine(world.lab.engine);
  const filters = { reference: [`al-${PROJECT}/*`] };
  expect(await docker.listImages({ filters })).toEqual([]);
  say("cat /usr/local/share/greeting.txt");
  orFail(await world.al("run", "greeter", "--follow"));
  expect(model.requests.at(-1)?.text).toContain("hello from the image");
  expect(kinds(orFail(await world.al("--json", "apply")))).toEqual(["big in-sync", "one in-sync"]);
});

test("a replaced image stays while a run uses it, then goes; those of others stay for ever", async () => {
  const { host } = world;
  const label = (project: string) => `-c 'LABEL action-llama.project=${project}'`;
  const hash = "0123456789ab";
  const strangers = [
    `al-${PROJECT}/agent-greeter:theirs`,
    `al-other/agent-greeter:${hash}`,
    "theirs:1",
  ];
  await on(host, `tar -cT /dev/null | docker import - ${strangers[0]}`);
  const other = `${label("other")} -c 'LABEL action-llama.spec-hash=${hash}'`;
  await on(host, `tar -cT /dev/null | docker import ${other} - ${strangers[1]}`);
  await on(host, `tar -cT /dev/null | docker import ${label(PROJECT)} - ${strangers[2]}`);
  const [before = ""] = (await imagesOn(host, "agent-greeter")).filter(
    (image) => !strangers.includes(image),
  );
  say("sleep 15; echo done");
  const run = orFail(await world.al("run", "greeter")).stdout.trim();
  await expect
    .poll(() => on(host, `docker ps -q --filter name=run-${run.toLowerCase()}`), PATIENCE)
    .not.toBe("");
  await world.copy.write("greeter/greeting.txt", "hello again\n");
  await push("another greeting");
  expect(kinds(orFail(await world.al("--json", "apply")))).toEqual(["big applied", "one applied"]);
  expect(await imagesOn(host, "agent-greeter")).toContain(before);
  expect(await inventoryOf(host)).toContain(before);
  await expect
    .poll(() => on(host, `docker ps -aq --filter name=run-${run.toLowerCase()}`), PATIENCE)
    .toBe("");
  expect(kinds(orFail(await world.al("--json", "apply")))).toEqual(["big in-sync", "one applied"]);
  expect(await inventoryOf(host)).not.toContain(before);
  const left = await on(host, "docker images --format '{{.Repository}}:{{.Tag}}'");
  expect(left.split("\n")).not.toContain(before);
  expect(left.split("\n")).toEqual(expect.arrayContaining(strangers));
  expect((await hostState(host, PROJECT)).unlisted).toEqual([strangers[0]]);
});

test("an image that nothing uses goes in the pass that replaces it", async () => {
  const [before = ""] = await imagesOn(big, "agent-packer");
  await world.copy.write("packer/tools/pack.sh", "echo packed well\n");
  await push("a better packer");
  orFail(await world.al("apply"));
  const after = await imagesOn(big, "agent-packer");
  expect(after).toHaveLength(1);
  expect(after).not.toContain(before);
});

test("without its builder a host stays as it is, and says whose absence it is", async () => {
  const before = await hostState(world.host, PROJECT);
  await world.copy.write("greeter/greeting.txt", "hello once more\n");
  await push("a third greeting");
  await big.kill();
  const applied = await world.al("apply");
  expect(applied.code).toBe(1);
  expect(applied.stdout.split("\n").at(-1)).toBe("2 hosts: 1 unreachable, 1 failed");
  expect(applied.stderr + applied.stdout).toContain(
    `no image can be built on host big, the builder: cannot reach host big at ${big.address}`,
  );
  expect(applied.stderr + applied.stdout).toContain("set builder in [images] of config.toml");
  const { current, runningRuntimes } = await hostState(world.host, PROJECT);
  expect({ current, runningRuntimes }).toEqual({
    current: before.current,
    runningRuntimes: before.runningRuntimes,
  });
  await big.start();
  expect(kinds(orFail(await world.al("--json", "apply")))).toEqual([
    expect.stringMatching(/^big (in-sync|applied)$/),
    "one applied",
  ]);
});
