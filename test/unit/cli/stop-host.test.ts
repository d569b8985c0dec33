import { beforeEach, expect, test } from "vitest";
import { stopHost } from "../../../src/cli/commands/stop.ts";
import { createOutput } from "../../../src/cli/render/output.ts";
import type { HostConnection } from "../../../src/host/session.ts";
import { hostSpec } from "../../memory-host/specs.ts";
import { createWorld, type World } from "../../memory-host/world.ts";
import { createPorts } from "../gateway/harness.ts";
import { memoryConnection } from "./memory-connection.ts";

const RUN = "al-acme-run-01a";
const streams = { out: { write: () => true }, err: { write: () => true } };
const { signal } = new AbortController();
const stopping = { project: "acme", drain: false, kill: false, dev: false };

let world: World;
let ports: ReturnType<typeof createPorts>;
let connection: HostConnection;
beforeEach(async () => {
  world = createWorld();
  ports = createPorts();
  const spec = hostSpec({ revision: "r1", agents: { dev: { actions: "Fix issues." } } });
  expect(await world.pass(spec)).toMatchObject({ kind: "applied" });
  const labels = { "action-llama.project": "acme", "action-llama.role": "run" };
  world.machine.containers.set(RUN, { image: "dev", labels, state: "running" });
  connection = await memoryConnection(world, ports);
});

async function stop(flags: Partial<typeof stopping> = {}) {
  const person = { person: "ann@laptop", output: createOutput(false, streams), signal };
  const observed = await connection.observe("acme");
  return stopHost(person, { connection, observed }, { ...stopping, ...flags });
}

test("a host that is stopped again stays so with its time, and what goes on is named", async () => {
  const { stopped } = await stop();
  expect(await stop()).toEqual({ stopped, already: true, runs: [RUN] });
});

test.each([
  { flags: { kill: true }, words: "kill", again: "al stop --host web-1 --kill" },
  { flags: { drain: true }, words: "wait for", again: "al stop --host web-1 --drain" },
  { flags: { kill: true, dev: true }, words: "kill", again: "al stop --dev --kill" },
])("what can end runs is gone with the stop before: $again", async ({ flags, words, again }) => {
  await stop();
  const where = "dev" in flags ? "--dev" : "--host web-1";
  await expect(stop(flags)).rejects.toMatchObject({
    ...{ code: "already-stopped", blame: "user" },
    message: `host web-1 was stopped before, and nothing there can ${words} its 1 run: ${RUN}`,
    hint: `Start it first: al start ${where}; then: ${again}`,
  });
  world.machine.containers.delete(RUN);
  expect(await stop(flags)).toMatchObject({ already: true, runs: [] });
});

test("a drain that fails leaves the host paused and running, and says how to go on", async () => {
  ports.runs.active = () => Promise.reject(new Error("no such table"));
  const failed = { code: "drain-left", message: expect.stringContaining("stays paused") };
  await expect(stop({ drain: true, dev: true })).rejects.toMatchObject({
    ...failed,
    hint: "To let it go on: al resume --dev; to stop it now: al stop --dev",
  });
  await expect(stop({ drain: true })).rejects.toMatchObject({
    ...failed,
    hint: "To let it go on: al resume --host web-1; to stop it now: al stop --host web-1",
  });
  expect(ports.state.holds.size).toBe(1);
  expect(world.machine.projects.get("acme")?.stopped).toBeUndefined();
});
