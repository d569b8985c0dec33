import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { jsonLines } from "../world/al.ts";
import { instructions } from "../world/sample-project.ts";
import { orFail, type World } from "../world/world.ts";
import { type DeployedGreeter, deployGreeter, PATIENCE } from "./deployed-greeter.ts";

const PROJECT = "stopped";
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let on: DeployedGreeter;
let world: World;

beforeAll(async () => {
  on = await deployGreeter(PROJECT);
  world = on.world;
});

afterAll(() => on?.close());

const runtimes = () =>
  on.inside(
    "docker ps -a --filter label=action-llama.role=runtime --format '{{.State}}' | sort | tr '\\n' ' '",
  );
const MARKER = `/home/deploy/.action-llama/projects/${PROJECT}/stopped.json`;
const marker = () => on.inside(`cat ${MARKER} 2>/dev/null`);

async function outcomeOf(run: string): Promise<string | undefined> {
  const { stdout } = await world.al("--json", "runs", run);
  return jsonLines(stdout)[0]?.outcome as string | undefined;
}

test("a run goes on while its host is stopped; started again, its log is whole and its end recorded", async () => {
  on.say("echo before; sleep 15; echo while stopped");
  const run = await on.trigger();
  await on.untilRunning(run);
  const stopped = orFail(await world.al("stop"));
  expect(stopped.stdout).toContain("one: stopped, also after a reboot, until: al start --host one");
  expect(stopped.stdout).toContain(run.toLowerCase());
  expect(await runtimes()).toBe("exited ");
  const status = orFail(await world.al("stat"));
  expect(status.stdout).toMatch(/^one: stopped since .+ UTC by .+@.+, revision [0-9a-f]{12}$/m);
  const refused = await world.al("run", "greeter");
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("al start --host one"),
  });
  const gone = `docker ps -q --filter name=run-${run.toLowerCase()}`;
  await expect.poll(() => on.inside(gone), PATIENCE).toBe("");
  const started = orFail(await world.al("start"));
  expect(started.stdout).toMatch(/^one: ready, revision [0-9a-f]{12}/m);
  expect(await marker()).toBe("");
  await expect.poll(() => outcomeOf(run), PATIENCE).toBe("completed");
  const { stdout } = orFail(await world.al("logs", run));
  expect(stdout).toMatch(/before[\s\S]*while stopped/);
});

test("a stopped host is left alone by applies, restarts of dockerd and reboots, and catches up when started", async () => {
  orFail(await world.al("stop"));
  await world.copy.write("greeter/ACTIONS.md", instructions("pear"));
  await world.copy.commit("second");
  await world.copy.push();
  for (const command of ["plan", "apply"]) {
    const { stdout } = orFail(await world.al(command));
    expect(stdout).toMatch(/^one: left alone, stopped since .+ by .+, at revision [0-9a-f]{12}$/m);
    expect(stdout).toContain("al start --host one");
  }
  orFail(await world.al("push"));
  await on.inside(
    "p=$(cat /run/docker.pid); kill $p; while kill -0 $p 2>/dev/null; do sleep 0.1; done",
  );
  await world.host.ready();
  expect(await runtimes()).toBe("exited ");
  await world.host.restart();
  expect(await runtimes()).toBe("exited ");
  expect(JSON.parse(await marker())).toMatchObject({ by: expect.stringContaining("@") });
  const started = orFail(await world.al("start"));
  expect(started.stdout).toMatch(/the project is at [0-9a-f]{12}: al apply --host one/);
  expect(orFail(await world.al("apply")).stdout).toContain("one: confirmed");
});

/** What who has only the gateway's key can ask for; here from inside the runtime's container. */
const STOP_BY_API = `const { request } = require("node:http");
const options = { socketPath: "/tmp/control.sock", path: "/control/stop", method: "POST" };
const headers = { "content-type": "application/json" };
request({ ...options, headers }, ({ statusCode }) => console.log(statusCode))
  .end(JSON.stringify({ by: "cat@desk" }));`;

test("a runtime that is asked to stop does so by itself, and again whenever it is started beside the marker", async () => {
  const asked = await world.host.exec([
    ...[
      "sh",
      "-c",
      'docker exec "$(docker ps -q --filter label=action-llama.role=runtime)" node -e "$1"',
    ],
    ...["sh", STOP_BY_API],
  ]);
  expect(asked.stdout).toContain("202");
  await expect.poll(runtimes, PATIENCE).toBe("exited ");
  expect(JSON.parse(await marker())).toMatchObject({ by: "cat@desk" });
  await on.inside(`echo > ${MARKER}`);
  await on.inside("docker start $(docker ps -aq --filter label=action-llama.role=runtime)");
  await expect.poll(runtimes, PATIENCE).toBe("exited ");
  expect(orFail(await world.al("status")).stdout).toMatch(/^one: stopped, revision/m);
  orFail(await world.al("start"));
  expect(orFail(await world.al("plan")).stdout).toContain("one: nothing to do");
});

test("a host whose runtime container is gone may start again, and says what makes it anew", async () => {
  orFail(await world.al("stop"));
  await on.inside("docker rm $(docker ps -aq --filter label=action-llama.role=runtime)");
  const started = await world.al("start");
  expect(started).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("al apply --host one"),
  });
  expect(orFail(await world.al("apply")).stdout).toContain("one: confirmed");
});
