import { dirname } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addCredential } from "../world/home.ts";
import { instructions, type SampleOptions, writeSampleProject } from "../world/sample-project.ts";
import { traceOf, traceOfHost } from "../world/trace.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const PROJECT = "plan-only";

let world: World;
let sample: SampleOptions;

beforeAll(async () => {
  world = await createWorld("plan-only", () => {}, { hasBase: true });
  const { host, lab, home } = world;
  await addCredential(home, "anthropic_key/default/token", "sk-not-used");
  sample = {
    project: PROJECT,
    baseImage: lab.baseImage,
    host: { name: "one", address: host.address, port: host.port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: "http://127.0.0.1:9" },
  };
  await writeSampleProject(world.copy, sample);
  await push("first");
});

afterAll(async () => world?.remove(PROJECT));

async function push(message: string): Promise<void> {
  await world.copy.commit(message);
  await world.copy.push();
}

/**
 * Plans twice, as text and as JSON: nothing may change on this machine (home with its credentials and
 * stores, working copy, bare repository), on the host, or in the repository, but for the time of reading.
 */
async function planOnly(): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const here = dirname(world.home);
  const before = [await traceOf(here), await traceOfHost(world.host)];
  const [text, again] = [await world.al("plan"), await world.al("plan")];
  const json = await world.al("--json", "plan");
  expect([await traceOf(here), await traceOfHost(world.host)]).toEqual(before);
  expect(again).toEqual(text);
  expect(json.code).toBe(text.code);
  return text;
}

test("a plan that waits for approvals makes no store and touches no host", async () => {
  const { code, stdout } = await planOnly();
  expect(code).toBe(2);
  expect(stdout).toContain("approval needed");
  expect(await traceOf(`${world.home}/.action-llama/controller`)).toBe("absent");
});

/** Commands that only look, or only talk to a runtime. */
const READERS = [
  ["status"],
  ["diff"],
  ["logs", "greeter"],
  ["run", "greeter"],
  ["push", "--dry-run"],
  ["approve"],
  ["host", "forget", "nobody"],
];

test.each(READERS)("where there is no store, `al %s %s` makes none", async (...words) => {
  const before = await traceOf(dirname(world.home));
  expect((await world.al(...words.filter(Boolean))).code).not.toBe(0);
  expect(await traceOf(dirname(world.home))).toBe(before);
});

test("a plan of a first deployment touches neither the store nor the host", async () => {
  await world.approveAll();
  const { code, stdout } = await planOnly();
  expect(code).toBe(2);
  expect(stdout).toContain("the project is new on this host");
});

test("an apply, which builds the images, is no plan and does all of it", async () => {
  orFail(await world.al("apply"));
}, 300_000);

test.each(READERS)("`al %s %s` leaves the store as it is", async (...words) => {
  const before = await traceOf(dirname(world.home));
  await world.al(...words.filter(Boolean));
  expect(await traceOf(dirname(world.home))).toBe(before);
});

test("a plan with nothing to do does nothing", async () => {
  const { code, stdout } = await planOnly();
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringContaining("one: nothing to do"),
  });
});

test("a plan of pending changes, and of drift, changes and heals nothing", async () => {
  await world.copy.write("greeter/ACTIONS.md", instructions("banana"));
  await world.copy.write("greeter/greeting.txt", "hello again\n");
  await push("a prompt and an image");
  const exec = (script: string) => world.host.exec(["sh", "-c", script]);
  await exec("docker stop -t 1 $(docker ps -q --filter label=action-llama.role=runtime)");
  await exec(
    `cd /home/deploy/.action-llama/projects/${PROJECT}/releases && echo x >> */project.json`,
  );
  const { code, stdout } = await planOnly();
  expect(code).toBe(2);
  expect(stdout).toMatch(/is not on the host/);
});

test("a plan from a checkout with changes leaves its index and files alone", async () => {
  await world.copy.write("greeter/ACTIONS.md", instructions("uncommitted"));
  const before = await traceOf(world.copy.directory);
  const args = ["-p", world.copy.directory, "plan"] as const;
  const { code, stderr } = await world.alWith(world.options, ...args);
  expect(code).toBe(2);
  expect(stderr).toContain("uncommitted changes");
  expect(await traceOf(world.copy.directory)).toBe(before);
});

test("a plan of bad files reports them, and touches nothing", async () => {
  await world.copy.write("greeter/agent-config.toml", `schedule = "not a schedule"\n`);
  await push("bad");
  const { code, stderr } = await planOnly();
  expect(code).toBe(1);
  expect(stderr).toContain("greeter/agent-config.toml:1: schedule");
});

test("a plan for a host that cannot be reached says so, and touches nothing here", async () => {
  await writeSampleProject(world.copy, { ...sample, host: { ...sample.host, port: 1 } });
  await push("nobody listens there");
  const { code, stdout } = await planOnly();
  expect(code).toBe(1);
  expect(stdout).toMatch(/one: .*(unreachable|cannot be reached|refused)/);
});
