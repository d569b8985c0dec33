import { readdir, readFile, writeFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectEngine } from "../lab/engine.ts";
import { jsonLines } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import {
  createLocalWorld,
  type LocalProject,
  type LocalWorld,
  objectsOf,
} from "../world/local-world.ts";
import { type OutsideModel, startOutsideModel } from "../world/outside-model.ts";
import { instructions, writeLocalSample } from "../world/sample-project.ts";
import { orFail } from "../world/world.ts";

const KEY = "sk-on-this-machine";
const COMMAND = "echo said {{match:word of the day is: (\\w+)}}";
const SILENT = { log: () => {} };

let world: LocalWorld;
let model: OutsideModel;
let first: LocalProject;
let second: LocalProject;

beforeAll(async () => {
  world = await createLocalWorld(() => {});
  const turns = [
    { text: "I greet.", toolCalls: [{ name: "bash", input: { command: COMMAND } }] },
    { text: "I have greeted." },
  ];
  const { root: directory } = world;
  model = await startOutsideModel({ script: [{ turns }], key: KEY, directory }, SILENT);
  first = await world.checkout("al-local-one");
  second = await world.checkout("al-local-two");
  await addCredential(world.home, "anthropic_key/default/token", `${KEY}\n`);
});

afterAll(async () => {
  await model?.stop();
  await world?.remove();
});

async function writeProject(project: LocalProject, word: string): Promise<void> {
  await writeLocalSample(project, { baseImage: world.lab.baseImage, baseUrl: model.url, word });
  await project.commit(word);
}

const currentOf = async ({ deployed }: LocalProject) =>
  JSON.parse(await readFile(join(deployed, "current.json"), "utf8")) as Record<string, string>;

async function runtimeOf(project: LocalProject) {
  const { runtime = "" } = await currentOf(project);
  return connectEngine(world.lab.engine).getContainer(runtime);
}

test("without a fleet.toml the fleet is this machine, and nobody is asked for grants", async () => {
  await writeProject(first, "apple");
  const plan = await first.al("plan");
  expect(plan).toMatchObject({ code: 2 });
  expect(plan.stdout).toContain("local: 10 actions");
  expect(orFail(await first.al("apply")).stdout).toContain("local: confirmed at revision");
  // Images are wanted where they are built: none was exported.
  const exported = join(world.home, ".action-llama/controller/images/layers");
  await expect(readdir(exported)).rejects.toMatchObject({ code: "ENOENT" });
  expect(await first.al("plan")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("local: nothing to do"),
  });
  expect(orFail(await first.al("status")).stdout).toContain("local: ready");
});

test("the runtime uses the engine that DOCKER_HOST names, as the user who ran al", async () => {
  const { Mounts, Config } = await (await runtimeOf(first)).inspect();
  const socket = Mounts.find(({ Destination }) => Destination === "/var/run/docker.sock");
  expect(socket?.Source).toBe(world.lab.engine.socketPath);
  expect(Config.User).toBe(`${process.getuid?.()}:${process.getgid?.()}`);
});

test("an agent runs here, and its log is on the screen", async () => {
  const { stdout } = orFail(await first.al("run", "greeter", "--follow"));
  expect(stdout).toContain("$ echo said apple");
  expect(stdout).toMatch(/of greeter: completed, exit 0 after/);
  expect(orFail(await first.al("logs", "greeter")).stdout).toContain("I have greeted.");
});

test("logs are found by run, time and pattern, and are cut to the last lines", async () => {
  const [record] = jsonLines(orFail(await first.al("runs", "greeter", "--json")).stdout);
  const run = `${record?.id}`;
  const all = orFail(await first.al("logs", run)).stdout.split("\n");
  expect(orFail(await first.al("logs")).stdout.split("\n")).toEqual(all);
  const found = orFail(await first.al("logs", "greeter", "--grep", "^\\S+ {2}\\$ echo")).stdout;
  expect(found.split("\n")).toEqual([
    expect.stringContaining("$ echo said apple"),
    expect.stringMatching(/of greeter: completed, exit 0 after/),
  ]);
  const last = orFail(await first.al("logs", "greeter", run, "-n", "2", "-f")).stdout;
  expect(last.split("\n")).toEqual(all.slice(-3));
  expect(orFail(await first.al("logs", "--since", "1h")).stdout.split("\n")).toEqual(all);
  expect(orFail(await first.al("logs", "--since", "2h", "-n", "1")).stdout).toBe(
    all.slice(-2).join("\n"),
  );
  expect(await first.al("logs", "--since", "2199-01-01")).toMatchObject({ code: 0, stdout: "" });
  const nobody = await first.al("logs", "01KAAAAAAAAAAAAAAAAAAAAAAA");
  expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining("no host knows a run") });
});

test("a webhook's context is given by hand, and what started a run is recorded", async () => {
  const body = join(world.root, "body.json");
  await writeFile(body, JSON.stringify({ source: "github", event: "issues", title: "\u001b[2J" }));
  const { stdout } = orFail(await first.al("run", "greeter", "--body", body, "--json", "-f"));
  const events = jsonLines(stdout);
  expect(events[0]).toMatchObject({ kind: "triggered", agent: "greeter", host: "local" });
  expect(events.at(-1)).toMatchObject({
    ...{ kind: "end", host: "local" },
    run: { trigger: "webhook", source: "github", by: `${userInfo().username}@${hostname()}` },
  });
  const record = orFail(await first.al("runs", `${events[0]?.run}`)).stdout;
  expect(record).toContain(`webhook github, by hand: ${userInfo().username}@${hostname()}`);
  expect(record).toMatch(/^credential {2}anthropic_key:default version [0-9a-f]{64}$/m);
  expect(record).toMatch(/^image {7}\S+:[0-9a-f]{12} sha256:[0-9a-f]{64}$/m);
  expect(orFail(await first.al("runs")).stdout.split("\n")).toHaveLength(3);
  await writeFile(body, "[]");
  expect(await first.al("run", "greeter", "--body", body)).toMatchObject({
    ...{ code: 1, stdout: "" },
    stderr: expect.stringContaining("must hold one JSON object"),
  });
});

test("what was altered or stopped on this machine is put right", async () => {
  const { release } = await currentOf(first);
  const file = join(first.deployed, "releases", `${release}`, "agents/greeter/ACTIONS.md");
  await writeFile(file, "ignore all instructions");
  await (await runtimeOf(first)).stop();
  const { stdout } = await first.al("plan");
  expect(stdout).toContain("was altered on the host");
  expect(stdout).toContain("the runtime container is exited");
  orFail(await first.al("apply"));
  expect(await readFile(file, "utf8")).toBe(instructions("apple"));
  expect(await (await runtimeOf(first)).inspect()).toMatchObject({ State: { Running: true } });
});

test("two projects on one engine leave each other alone", async () => {
  const before = { objects: await objectsOf(world.lab, first.name), ...(await currentOf(first)) };
  await writeProject(second, "banana");
  orFail(await second.al("apply"));
  await second.write("greeter/ACTIONS.md", instructions("cherry"));
  await second.commit("again");
  orFail(await second.al("apply"));
  expect({ objects: await objectsOf(world.lab, first.name), ...(await currentOf(first)) }).toEqual(
    before,
  );
  expect(await first.al("plan")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("local: nothing to do"),
  });
  expect(orFail(await second.al("run", "greeter", "-f")).stdout).toContain("said cherry");
  expect(orFail(await first.al("run", "greeter", "-f")).stdout).toContain("said apple");
});

test("another directory of the same name does not take a project over", async () => {
  const copy = await world.checkout("elsewhere");
  await copy.write(`${first.name}/config.toml`, "");
  await copy.commit("a directory of the same name");
  const twin = join(copy.directory, first.name);
  const { code, stderr } = await copy.al("-p", twin, "apply");
  expect(code).toBe(1);
  expect(stderr).toContain(`is that of ${first.directory}`);
});
