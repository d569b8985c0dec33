import { beforeEach, expect, test } from "vitest";
import { startHost } from "../../../src/cli/commands/start-host.ts";
import { createOutput } from "../../../src/cli/render/output.ts";
import type { PassEvent } from "../../../src/core/pass.ts";
import type { HostConnection } from "../../../src/host/session.ts";
import { stopByOperator } from "../../memory-host/machine.ts";
import { hostSpec } from "../../memory-host/specs.ts";
import { createWorld, type World } from "../../memory-host/world.ts";
import { createPorts } from "../gateway/harness.ts";
import { memoryConnection } from "./memory-connection.ts";

const agents = { dev: { actions: "Fix issues." } };
const first = hostSpec({ revision: "r1", agents });
const second = hostSpec({ revision: "r2", runtime: "2", agents });
const streams = { out: { write: () => true }, err: { write: () => true } };

let world: World;
let ports: ReturnType<typeof createPorts>;
let connection: HostConnection;
beforeEach(async () => {
  world = createWorld();
  ports = createPorts();
  expect(await world.pass(first)).toMatchObject({ kind: "applied" });
  connection = await memoryConnection(world, ports);
});

async function start({ confirmTimeoutMs = 5000, signal = new AbortController().signal } = {}) {
  const speaker = { holder: "start", output: createOutput(false, streams), signal };
  const observed = await connection.observe("acme");
  const starting = { project: "acme", confirmTimeoutMs, dev: false };
  return () => startHost(speaker, { connection, observed }, starting);
}

/** What `al stop --drain` leaves behind. */
async function stopDrained(): Promise<void> {
  ports.state.holds.set("paused ", { since: 1000 });
  stopByOperator(world.machine, "acme");
  await connection.writeStopped("", { since: 1000, drained: true });
}

const running = () =>
  [...world.machine.containers]
    .filter(([, { state }]) => state === "running")
    .map(([name]) => name);

test("a pass that holds the lock may switch the host: what is live by then is started", async () => {
  const startIt = await start();
  const before = running();
  let starting: Promise<unknown> | undefined;
  const onEvent = ({ kind }: PassEvent) => {
    if (kind === "action-started") starting ??= startIt();
  };
  expect(await world.pass(second, { onEvent })).toMatchObject({ kind: "applied" });
  await starting;
  expect(running()).toHaveLength(1);
  expect(running()).not.toEqual(before);
});

test("a host that was stopped while its lock was waited for is started all the same, and its pause ends", async () => {
  const startIt = await start();
  const lock = await connection.lock("acme", { holder: "a pass" });
  const starting = startIt();
  await stopDrained();
  await lock.release();
  expect(await starting).toMatchObject({ resumed: true, revision: "revision" });
  expect(world.machine.projects.get("acme")?.stopped).toBeUndefined();
  expect(running()).toHaveLength(1);
  expect(ports.state.holds.size).toBe(0);
});

test("a host that was drained and does not become ready is said to stay paused, with the way on", async () => {
  await stopDrained();
  world.machine.readiness = () => "never";
  await expect((await start({ confirmTimeoutMs: 0 }))()).rejects.toMatchObject({
    ...{ code: "not-ready", blame: "transient" },
    message: expect.stringContaining("; host web-1 stays paused, as it was for its stop"),
    hint: expect.stringMatching(/docker logs .+; to let it go on: al resume --host web-1$/),
  });
  expect(ports.state.holds.size).toBe(1);
});

test("who leaves while a drained host starts is told that it stays paused", async () => {
  await stopDrained();
  world.machine.readiness = () => "never";
  const leaving = new AbortController();
  const starting = (await start({ signal: leaving.signal }))();
  setTimeout(() => leaving.abort(new Error("interrupted by SIGINT")), 100);
  await expect(starting).rejects.toMatchObject({
    ...{ code: "start-left", blame: "user" },
    message: "interrupted by SIGINT; host web-1 stays paused, as it was for its stop",
    hint: "To let it go on: al resume --host web-1",
  });
});

test("a pause that was there before the stop outlasts the start", async () => {
  ports.state.holds.set("paused ", { since: 1000 });
  stopByOperator(world.machine, "acme");
  expect(await (await start())()).toMatchObject({ resumed: false, paused: { since: 1000 } });
});
