import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mustRun } from "../lab/command.ts";
import { addCredential } from "../world/home.ts";
import {
  createLocalWorld,
  type LocalProject,
  type LocalWorld,
  objectsOf,
} from "../world/local-world.ts";
import { instructions, writeLocalSample } from "../world/sample-project.ts";
import { traceOf } from "../world/trace.ts";
import { orFail } from "../world/world.ts";

// The machine that the controller runs on is a host of a fleet like any other.
const BUILDS_IMAGES = { timeout: 300_000 };

let world: LocalWorld;
let first: LocalProject;
let second: LocalProject;
/** The operator's own credentials: bytes, modes, owners, times and inodes. */
let credentials: string;

beforeAll(async () => {
  world = await createLocalWorld(() => {});
  first = await world.checkout("al-here-one");
  second = await world.checkout("al-here-two");
  await addCredential(world.home, "anthropic_key/default/token", "sk-not-used\n");
  await addCredential(world.home, "github_token/default/token", "of nobody's concern");
  credentials = await traceOf(join(world.home, ".action-llama/credentials"));
});

afterAll(async () => world?.remove());

async function writeFleet(project: LocalProject, word: string): Promise<void> {
  const { baseImage } = world.lab;
  await writeLocalSample(project, { baseImage, baseUrl: "http://127.0.0.1:9", word });
  const fleet = `[project]\nname = "${project.name}"\n\n[hosts.here]\nprovider = "local"\n`;
  await project.write("fleet.toml", fleet);
  await project.commit(word);
}

async function deploy(project: LocalProject, word: string): Promise<void> {
  await writeFleet(project, word);
  const waiting = await project.al("approve");
  expect(waiting.stdout).toContain("al approve grant anthropic_key:default greeter here");
  orFail(await project.al("approve", "grant", "anthropic_key:default", "greeter", "here"));
  orFail(await project.al("apply"));
}

async function expectNothingToDo(project: LocalProject): Promise<void> {
  expect(await project.al("plan")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("here: nothing to do"),
  });
}

/** All that a project has on this machine. */
async function partsOf({ name, deployed }: LocalProject) {
  const current = await readFile(join(deployed, "current.json"), "utf8").catch(() => "none");
  return { objects: await objectsOf(world.lab, name), current, rules: await rulesOf(name) };
}

async function rulesOf(name: string): Promise<string[]> {
  const tables = await Promise.all([mustRun(["iptables-save"]), mustRun(["ip6tables-save"])]);
  return tables
    .flatMap((text) => text.split("\n"))
    .filter((line) => line.includes(`action-llama:${name}"`));
}

const operatorsOwn = () => traceOf(join(world.home, ".action-llama/credentials"));

test(
  "a fleet's host may be this machine: applied once, then there is nothing to do",
  BUILDS_IMAGES,
  async () => {
    await deploy(first, "apple");
    await expectNothingToDo(first);
    expect(orFail(await first.al("status")).stdout).toContain("here: ready");
    expect((await partsOf(first)).rules.length).toBeGreaterThan(0);
    expect(await operatorsOwn()).toBe(credentials);
  },
);

test("two fleets that share this machine leave each other alone", BUILDS_IMAGES, async () => {
  const before = await partsOf(first);
  await deploy(second, "banana");
  await second.write("greeter/ACTIONS.md", instructions("cherry"));
  await second.commit("again");
  orFail(await second.al("apply"));
  expect(await partsOf(first)).toEqual(before);
  await expectNothingToDo(first);
  await expectNothingToDo(second);
  expect(await operatorsOwn()).toBe(credentials);
});

test("this machine is cleaned when it leaves a fleet, and the other fleet stays", async () => {
  const before = await partsOf(second);
  await first.write("fleet.toml", `[project]\nname = "${first.name}"\n`);
  const commit = await first.commit("no hosts");
  orFail(await first.al("approve", "prune", commit));
  expect(orFail(await first.al("apply")).stdout).toContain("here: left the fleet, and was cleaned");
  const nothing = { containers: [], networks: [], volumes: [] };
  expect(await partsOf(first)).toMatchObject({ objects: nothing, current: "none", rules: [] });
  expect(await traceOf(first.deployed)).toBe("absent");
  expect(await partsOf(second)).toEqual(before);
  await expectNothingToDo(second);
  expect(await operatorsOwn()).toBe(credentials);
});
