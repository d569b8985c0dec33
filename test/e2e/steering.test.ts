import { once } from "node:events";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { jsonLines, spawnAl } from "../world/al.ts";
import { instructions } from "../world/sample-project.ts";
import { orFail, type World } from "../world/world.ts";
import { startWebhookDeployment, type WebhookDeployment } from "./webhook-deployment.ts";

const PORT = 8097;
vi.setConfig({ testTimeout: 300_000, hookTimeout: 500_000 });

const PATIENCE = { timeout: 90_000, interval: 500 };

let on: WebhookDeployment;
let world: World;

beforeAll(async () => {
  on = await startWebhookDeployment("steered", PORT);
  world = on.world;
  await on.write({ port: PORT });
  await world.copy.write("helper/agent-config.toml", 'schedule = "0 5 1 1 *"\n');
  await world.copy.write("helper/ACTIONS.md", "You are the helper.\n");
  await world.copy.write("ticker/agent-config.toml", 'schedule = "* * * * *"\n');
  await world.copy.write("ticker/ACTIONS.md", "You are the ticker.\n");
  await on.push("first");
  await world.approveAll();
  orFail(await world.al("apply"));
});

afterAll(async () => {
  await on?.close();
});

/** From now on the model has runs of everybody but the helper and the ticker carry out this command. */
function say(command: string): void {
  const toolCalls = [{ name: "bash", input: { command } }];
  on.model.use([
    { when: "You are the helper.", turns: [{ text: "helped" }] },
    { when: "You are the ticker.", turns: [{ text: "ticked" }] },
    { turns: [{ toolCalls }, { text: "done" }] },
  ]);
}

interface Run {
  readonly id: string;
  readonly agent: string;
  readonly trigger: string;
  readonly state: string;
  readonly outcome?: string;
}

const runs = async () => (await on.runs()) as unknown as Run[];
const outcome = async (id: string) => (await runs()).find((run) => run.id === id)?.outcome;
const trigger = async (agent = "greeter") => orFail(await world.al("run", agent)).stdout.trim();
const untilRunning = (id: string) =>
  expect
    .poll(async () => (await runs()).find((run) => run.id === id)?.state, PATIENCE)
    .toBe("running");
const waiting = async () => jsonLines(orFail(await world.al("--json", "queue")).stdout);

test("a paused host starts nothing by hand, webhook or schedule, whatever is restarted or deployed", async () => {
  say("true");
  const paused = orFail(await world.al("pause"));
  expect(paused.stdout).toMatch(/^one: paused since .+ UTC by .+@.+$/m);
  const refused = await world.al("run", "greeter");
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("al resume") });
  const before = await runs();
  expect(await on.send({ id: "p-1" })).toMatchObject({ status: 200, body: { matched: 1 } });
  await on.shell('docker restart "$1"', (await on.live()).runtime);
  await world.copy.write("greeter/ACTIONS.md", instructions("pear"));
  await on.push("second");
  orFail(await world.al("apply"));
  // Past a whole minute, in which the ticker would have run.
  await new Promise((resolve) => setTimeout(resolve, 62_000));
  expect(orFail(await world.al("stat")).stdout).toMatch(
    /^one: ready, paused since .+ by .+, revision/m,
  );
  expect(await waiting()).toMatchObject([
    { kind: "queued", host: "one", agent: "greeter", waitsFor: expect.stringContaining("paused") },
  ]);
  const since = (await runs()).filter(({ id }) => before.every((run) => run.id !== id));
  expect(since).toMatchObject([{ agent: "greeter", trigger: "webhook", state: "queued" }]);
  expect(orFail(await world.al("resume", "--host", "one")).stdout).toContain("one: resumed");
  await expect.poll(() => outcome(since[0]?.id ?? ""), PATIENCE).toBe("completed");
  await expect
    .poll(async () => (await runs()).filter(({ agent }) => agent === "ticker").length, PATIENCE)
    .toBeGreaterThan(0);
  expect(orFail(await world.al("resume")).stdout).toContain("one: was not paused");
});

test("a paused agent holds back its calls and no other agent; resumed, they start", async () => {
  orFail(await world.al("disable", "ticker"));
  orFail(await world.al("pause", "helper"));
  say("echo help | al-call helper; true");
  const caller = await trigger();
  await expect.poll(() => outcome(caller), PATIENCE).toBe("completed");
  expect(await world.al("run", "helper")).toMatchObject({ code: 1 });
  expect(orFail(await world.al("queue", "helper")).stdout).toMatch(/helper +call +\d+ s +.*paused/);
  const { stdout } = orFail(await world.al("status"));
  expect(stdout).toMatch(/^ {2}helper: .*; paused since .+ by/m);
  expect(stdout).toMatch(/^ {2}ticker: .*; disabled since .+ by/m);
  const held = (await runs()).find(({ agent }) => agent === "helper")?.id ?? "";
  orFail(await world.al("resume", "helper"));
  await expect.poll(() => outcome(held), PATIENCE).toBe("completed");
  expect(orFail(await world.al("queue")).stdout).toBe("nothing waits");
});

test("a disabled agent takes no webhook and no run by hand until it is enabled", async () => {
  orFail(await world.al("disable", "greeter"));
  const refused = await world.al("run", "greeter");
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("al enable greeter") });
  expect(await on.send({ id: "d-1" })).toMatchObject({ status: 200, body: { matched: 0 } });
  expect(orFail(await world.al("enable", "greeter")).stdout).toContain("one: greeter enabled");
  say("true");
  const run = await trigger();
  await expect.poll(() => outcome(run), PATIENCE).toBe("completed");
  expect(await world.al("pause", "nobody")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("there is no agent nobody"),
  });
});

test("locks and the queue show what is there; kill ends a run, or all of an agent", async () => {
  say("rlock thing; sleep 100");
  const first = await trigger();
  await untilRunning(first);
  const second = await trigger();
  await expect
    .poll(async () => (await world.al("locks")).stdout, PATIENCE)
    .toMatch(new RegExp(`^thing +one +${first} +greeter .* 0$`, "m"));
  expect(await waiting()).toMatchObject([
    { agent: "greeter", waitsFor: expect.stringMatching(/scale is 1/) },
  ]);
  expect(orFail(await world.al("kill", first)).stdout).toContain(`one: killed run ${first}`);
  expect(await outcome(first)).toBe("killed");
  expect((await world.al("kill", first)).code).toBe(1);
  await untilRunning(second);
  const dropped = await trigger();
  expect(orFail(await world.al("kill", dropped)).stdout).toBe(
    `one: dropped run ${dropped} of greeter from the queue`,
  );
  const third = await trigger();
  const killed = orFail(await world.al("kill", "greeter", "--queued"));
  expect(killed.stdout.split("\n").sort()).toEqual([
    `one: dropped run ${third} of greeter from the queue`,
    `one: killed run ${second} of greeter`,
  ]);
  expect(await outcome(second)).toBe("killed");
  expect(await outcome(third)).toBe("cancelled");
  expect(await world.al("kill", "greeter")).toMatchObject({ code: 1 });
  expect(orFail(await world.al("locks")).stdout).toBe("no locks");
});

test("a drain waits for what runs, and what waits starts again with the host; left, it stays paused", async () => {
  say("sleep 45; echo drained");
  const run = await trigger();
  await untilRunning(run);
  const left = spawnAl(["-p", world.bare, "stop", "--drain"], world.options);
  left.stderr.once("data", () => left.kill("SIGINT"));
  expect((await once(left, "close"))[0]).toBe(1);
  expect(orFail(await world.al("status")).stdout).toMatch(/^one: ready, paused/m);
  orFail(await world.al("resume"));
  expect(await on.send({ id: "q-1" })).toMatchObject({ body: { matched: 1 } });
  const drained = orFail(await world.al("stop", "--drain"));
  expect(drained.stderr).toMatch(
    new RegExp(`waiting for 1 run to end; 1 run in the queue[^]*${run}`),
  );
  expect(drained.stdout.split("\n")).toHaveLength(1);
  say("true");
  expect(orFail(await world.al("start")).stdout).not.toContain("paused");
  expect(await outcome(run)).toBe("completed");
  const idle = async () => (await runs()).every(({ state }) => state === "finished");
  await expect.poll(idle, PATIENCE).toBe(true);
});

test("a pause that was there before a drain is there after the start, too", async () => {
  orFail(await world.al("pause"));
  orFail(await world.al("stop", "--drain"));
  expect(orFail(await world.al("start")).stdout).toMatch(
    /^ {2}paused since .+ by .+; to go on: al resume --host one$/m,
  );
  expect(orFail(await world.al("resume")).stdout).toContain("one: resumed");
});

test("a stop that kills leaves nothing running, and the record says so", async () => {
  say("sleep 100");
  const run = await trigger();
  await untilRunning(run);
  orFail(await world.al("stop", "--kill"));
  expect(await on.shell("docker ps -q --filter label=action-llama.role=run")).toBe("");
  expect((await on.send({ id: "s-1" }))?.status).toBe(503);
  orFail(await world.al("start"));
  expect(await outcome(run)).toBe("killed");
});
