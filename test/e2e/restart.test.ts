import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { jsonLines } from "../world/al.ts";
import { hostState } from "../world/host-state.ts";
import { orFail, type World } from "../world/world.ts";
import { type DeployedGreeter, deployGreeter, PATIENCE } from "./deployed-greeter.ts";

const PROJECT = "restarted";
/** A host that boots, its runtime and its probe take their time. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let on: DeployedGreeter;
let world: World;

beforeAll(async () => {
  on = await deployGreeter(PROJECT);
  world = on.world;
});

afterAll(() => on?.close());

interface Run {
  readonly id: string;
  readonly state: string;
  readonly outcome?: string;
}

/** A run as `al status` shows it; undefined while the host cannot be asked. */
async function runNow(id: string): Promise<Run | undefined> {
  const { stdout } = await world.al("--json", "status");
  const [host] = (jsonLines(stdout).at(-1)?.hosts ?? []) as { runs?: Run[] }[];
  return host?.runs?.find((run) => run.id === id);
}

/** What must come back: our rules, networks, volumes, and which containers run. */
async function standing(): Promise<string> {
  return on.inside(`iptables -S | grep -E 'AL-(IN|FWD)-'
    ip6tables -S 2>/dev/null | grep -E 'AL-(IN|FWD)6-'
    docker network inspect -f '{{.Id}} {{json .IPAM.Config}}' al-${PROJECT}
    docker volume ls -q --filter label=action-llama.project=${PROJECT}
    docker ps --no-trunc --format '{{.ID}} {{.Names}}' --filter label=action-llama.role=runtime`);
}

async function expectNothingToDo(): Promise<void> {
  const plan = () => world.al("plan").then(({ stdout }) => stdout);
  await expect.poll(plan, PATIENCE).toContain("one: nothing to do");
}

test("a restart of dockerd ends no run, and everything stands as before", async () => {
  on.say("sleep 12; echo still here");
  const before = await standing();
  const run = await on.trigger();
  await on.untilRunning(run);
  await on.inside(
    "p=$(cat /run/docker.pid); kill $p; while kill -0 $p 2>/dev/null; do sleep 0.1; done",
  );
  await world.host.ready();
  await expect.poll(() => runNow(run).then((found) => found?.outcome), PATIENCE).toBe("completed");
  await expect.poll(standing, PATIENCE).toBe(before);
  await expectNothingToDo();
  on.say("echo and on it goes");
  const { stdout } = orFail(await world.al("run", "greeter", "--follow"));
  expect(stdout).toMatch(/completed, exit 0/);
});

test("a host that lost its power comes back by itself, without an apply", async () => {
  on.say("sleep 100");
  await expect.poll(standing, PATIENCE).toMatch(/al-restarted-runtime/);
  const before = await standing();
  const state = await hostState(world.host, PROJECT);
  const interrupted = await on.trigger();
  await on.untilRunning(interrupted);
  // One run at a time: this one waits, and is the first thing to start after the boot.
  const queued = await on.trigger();
  await world.host.kill();
  on.say("echo after the boot");
  await world.host.start();

  await expect.poll(standing, PATIENCE).toBe(before);
  await expectNothingToDo();
  expect(await hostState(world.host, PROJECT)).toEqual(state);
  const outcome = (id: string) => runNow(id).then((found) => found?.outcome);
  await expect.poll(() => outcome(interrupted), PATIENCE).toBe("interrupted");
  await expect.poll(() => outcome(queued), PATIENCE).toBe("completed");
  await expectNoRunBeforeProbe();
  await expect.poll(() => on.inside("docker volume ls -q"), PATIENCE).toBe("");
});

test("an orderly reboot of a host with nothing to do changes nothing", async () => {
  const before = await standing();
  await world.host.restart();
  await expect.poll(standing, PATIENCE).toBe(before);
  await expectNothingToDo();
  on.say("echo hello again");
  const { stdout } = orFail(await world.al("run", "greeter", "--follow"));
  expect(stdout).toMatch(/completed, exit 0/);
  await expectNoRunBeforeProbe();
});

/** Since its boot, the engine has started no run before a probe ended well. */
async function expectNoRunBeforeProbe(): Promise<void> {
  const format = `{{.TimeNano}} {{.Action}} {{index .Actor.Attributes "action-llama.role"}} {{index .Actor.Attributes "exitCode"}}`;
  const filters = "--filter type=container --filter event=start --filter event=die";
  // The second that has begun belongs to it.
  const until = "$(($(date +%s) + 1))";
  const events = (
    await on.inside(`docker events --since 1h --until "${until}" ${filters} --format '${format}'`)
  )
    .split("\n")
    .map((line) => line.split(" ").slice(1).join(" ").trim());
  const probed = events.indexOf("die probe 0");
  const started = events.indexOf("start run");
  expect(events).toContain("start run");
  expect(probed, events.join("\n")).toBeGreaterThanOrEqual(0);
  expect(started, events.join("\n")).toBeGreaterThan(probed);
}
