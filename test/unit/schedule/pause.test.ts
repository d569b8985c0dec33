import { expect, it } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import type { Delivery } from "../../../src/schedule/accept-deliveries.ts";
import { agent, createWorld, release } from "./harness.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

async function start(world = createWorld(), seen: Parameters<typeof world.open>[0] = {}) {
  const scheduler = world.open(seen);
  await scheduler.start();
  return { world, scheduler };
}

function delivery(id: string, agents: readonly string[] = ["dev"]): Delivery {
  const receipt = {
    ...({ id: `receipt-${id}`, type: "github", sources: ["acme"], deliveryId: id } as const),
    ...{ receivedAt: 0, headers: {}, body: Buffer.from("{}") },
  };
  return { receipt, agents, trigger: { kind: "webhook", source: "github", context: {} } };
}

async function running(world: ReturnType<typeof createWorld>, id: string) {
  await world.clock.advance(100);
  const run = await world.store.get(id);
  if (run?.state !== "running") throw new TypeError(`${id} is ${run?.state}`);
  return run;
}

it("a paused scheduler lets run what runs, takes webhooks and calls, and starts nothing", async () => {
  const { world, scheduler } = await start();
  world.release = release(["dev", "caller", "clerk"].map((name) => agent(name)));
  const { id } = await scheduler.trigger("caller");
  const caller = await running(world, id);
  const hold = await scheduler.pause({ by: "ann@laptop" });
  expect(hold).toEqual({ since: world.clock.now(), by: "ann@laptop" });
  expect(await scheduler.deliver(delivery("1"))).toMatchObject({ kind: "accepted", refused: [] });
  await scheduler.call(caller, { target: "clerk", context: null });
  await expect(scheduler.trigger("dev")).rejects.toMatchObject({
    ...{ code: "paused", blame: "user", hint: "Let it go on: al resume" },
    message: "the scheduler is paused since 2026-01-01 00:00 UTC by ann@laptop",
  });
  await world.clock.advance(HOUR);
  expect(await world.history()).toEqual([
    ...["caller manual completed", "dev webhook queued", "clerk call queued"],
  ]);
  expect(await scheduler.paused()).toEqual(hold);
  expect(await scheduler.resume({})).toBe(true);
  await world.clock.advance(MINUTE);
  expect(await world.history()).toEqual([
    ...["caller manual completed", "dev webhook completed", "clerk call completed"],
  ]);
  expect(await scheduler.resume({})).toBe(false);
});

it("a paused agent holds up itself only", async () => {
  const { world, scheduler } = await start();
  world.release = release([agent("dev"), agent("clerk")]);
  await scheduler.pause({ agent: "dev" });
  await scheduler.deliver(delivery("1", ["dev", "clerk"]));
  await expect(scheduler.trigger("dev")).rejects.toMatchObject({
    ...{ code: "paused", hint: "Let it go on: al resume dev" },
  });
  await scheduler.trigger("clerk");
  await world.clock.advance(MINUTE);
  expect(await world.history()).toEqual([
    ...["dev webhook queued", "clerk webhook completed", "clerk manual completed"],
  ]);
  await scheduler.resume({ agent: "dev" });
  await world.clock.advance(MINUTE);
  expect((await world.history())[0]).toBe("dev webhook completed");
});

it("a disabled agent takes no trigger; what waited goes on when it is enabled", async () => {
  const { world, scheduler } = await start();
  world.release = release([agent("dev", { schedule: "*/10 * * * *" }), agent("caller")]);
  await scheduler.reload();
  const caller = await running(world, (await scheduler.trigger("caller")).id);
  await scheduler.pause({});
  await scheduler.deliver(delivery("1"));
  await scheduler.disable({ agent: "dev", by: "ann" });
  await scheduler.resume({});
  const refusal = { code: "agent-disabled", blame: "user" };
  const message = "agent dev is disabled since 2026-01-01 00:00 UTC by ann";
  await expect(scheduler.trigger("dev")).rejects.toMatchObject({ ...refusal, message });
  const call = scheduler.call(caller, { target: "dev", context: null });
  await expect(call).rejects.toMatchObject(refusal);
  expect(await scheduler.deliver(delivery("2"))).toEqual({
    ...{ kind: "accepted", runs: [] },
    refused: [{ agent: "dev", reason: message }],
  });
  await world.clock.advance(HOUR);
  expect(await world.history()).toEqual(["caller manual completed", "dev webhook queued"]);
  expect(await scheduler.enable({ agent: "dev" })).toBe(true);
  await world.clock.advance(MINUTE);
  expect(await world.history()).toEqual(["caller manual completed", "dev webhook completed"]);
  expect(world.warnings).toEqual([]);
});

it("holds are independent, survive a restart and a deployment, and the first one stays", async () => {
  const { world, scheduler } = await start();
  await scheduler.pause({ agent: "dev", by: "ann" });
  await scheduler.disable({ agent: "dev", by: "bob" });
  await world.clock.advance(HOUR);
  await scheduler.stop();
  world.release = { ...release([agent("dev")]), release: "next" };
  const next = world.open();
  await next.start();
  const [before] = await next.agents();
  expect(before).toMatchObject({ enabled: true, paused: { by: "ann" }, disabled: { by: "bob" } });
  expect(await next.pause({ agent: "dev", by: "eve" })).toEqual(before?.paused);
  await next.enable({ agent: "dev" });
  await expect(next.trigger("dev")).rejects.toMatchObject({ code: "paused" });
  await next.resume({ agent: "dev" });
  await next.trigger("dev");
  expect((await next.agents())[0]).not.toHaveProperty("paused");
});

it("an agent nobody knows cannot be held; one that is gone can be let go", async () => {
  const { world, scheduler } = await start();
  const unknown = { code: "unknown-agent", blame: "user" };
  await expect(scheduler.pause({ agent: "nobody" })).rejects.toMatchObject(unknown);
  await expect(scheduler.disable({ agent: "nobody" })).rejects.toMatchObject(unknown);
  await expect(scheduler.resume({ agent: "nobody" })).rejects.toMatchObject(unknown);
  await expect(scheduler.enable({ agent: "nobody" })).rejects.toMatchObject(unknown);
  await expect(scheduler.killAgent("nobody", { queued: true })).rejects.toMatchObject(unknown);
  await scheduler.pause({ agent: "dev" });
  world.release = release([agent("other")]);
  expect(await scheduler.resume({ agent: "dev" })).toBe(true);
});

it("a rerun that a run asks for waits until its agent goes on", async () => {
  const { world, scheduler } = await start();
  let left = 1;
  world.engine.behaviour = () => ({ ms: SECOND, code: left-- > 0 ? 42 : 0 });
  await scheduler.trigger("dev");
  await world.clock.advance(100);
  await scheduler.pause({});
  await world.clock.advance(HOUR);
  expect(await world.history()).toEqual(["dev manual rerun", "dev manual queued"]);
  await scheduler.resume({});
  await world.clock.advance(HOUR);
  expect(await world.history()).toEqual(["dev manual rerun", "dev manual completed"]);
});

it("what is being made when the scheduler is paused goes back to the queue unstarted", async () => {
  const { world, scheduler } = await start();
  const error = new AlError("busy", { code: "docker-failed", blame: "transient" });
  world.engine.failures = [{ call: "create", error }];
  const { id } = await scheduler.trigger("dev");
  await world.clock.advance(100);
  await scheduler.pause({});
  await world.clock.advance(HOUR);
  expect(await world.history()).toEqual(["dev manual queued"]);
  expect(world.engine.containers.size).toBe(0);
  await scheduler.resume({});
  await world.clock.advance(HOUR);
  expect(world.engine.starts).toEqual([id]);
  expect(await world.history()).toEqual(["dev manual completed"]);
});

it("what cannot go back to the queue is not given up, and goes back when the next runtime starts", async () => {
  const world = createWorld();
  const error = new AlError("busy", { code: "docker-failed", blame: "transient" });
  const requeue = () => Promise.reject(new TypeError("disk I/O error"));
  const { scheduler } = await start(world, { store: { ...world.store, requeue } });
  world.engine.failures = [{ call: "create", error }];
  await scheduler.trigger("dev");
  await world.clock.advance(100);
  await scheduler.pause({});
  await world.clock.advance(HOUR);
  expect(await world.history()).toEqual(["dev manual starting"]);
  await scheduler.stop();
  const next = world.open();
  await next.start();
  await world.clock.advance(HOUR);
  expect(await world.history()).toEqual(["dev manual queued"]);
  await next.resume({});
  await world.clock.advance(HOUR);
  expect(await world.history()).toEqual(["dev manual completed"]);
});

it("a container that was made and not started is not started by a paused runtime after it", async () => {
  const { world, scheduler } = await start();
  const error = new AlError("busy", { code: "docker-failed", blame: "transient" });
  world.engine.failures = [{ call: "start", error }];
  const { id } = await scheduler.trigger("dev");
  await world.clock.advance(100);
  await scheduler.stop();
  expect(world.engine.containers.size).toBe(1);
  const next = world.open();
  await next.pause({});
  await next.start();
  await world.clock.advance(HOUR);
  expect([world.engine.starts, world.engine.containers.size]).toEqual([[], 0]);
  await next.resume({});
  await world.clock.advance(HOUR);
  expect(world.engine.starts).toEqual([id]);
  expect(await world.history()).toEqual(["dev manual completed"]);
});

it("what waits says for what", async () => {
  const { world, scheduler } = await start();
  const agents = ["busy", "dev", "off", "held"].map((name) => agent(name));
  world.release = release(agents, { scale: 1 });
  await scheduler.trigger("busy");
  await world.clock.advance(100);
  await scheduler.deliver(delivery("1", ["busy", "dev", "off", "held"]));
  await scheduler.deliver(delivery("2", ["dev"]));
  await scheduler.pause({ agent: "held", by: "ann" });
  await scheduler.disable({ agent: "off" });
  const waiting = await scheduler.queue();
  expect(waiting.map(({ run, waitsFor }) => `${run.agent}: ${waitsFor}`)).toEqual([
    "busy: 1 run of busy under way; its scale is 1",
    "dev: 1 run under way; the project's scale is 1",
    "off: agent off is disabled since 2026-01-01 00:00 UTC",
    "held: agent held is paused since 2026-01-01 00:00 UTC by ann",
    "dev: 1 run of dev is ahead of it",
  ]);
  world.ready = false;
  expect((await scheduler.queue())[1]?.waitsFor).toBe("the runtime is not ready to start runs");
});

it("ends an agent's runs, with what waits if asked, and nobody else's", async () => {
  const { world, scheduler } = await start();
  world.release = release([agent("dev", { scale: 2 }), agent("other")]);
  world.engine.behaviour = () => ({ ms: HOUR, code: 0 });
  const ids: string[] = [];
  for (let n = 0; n < 4; n += 1) ids.push((await scheduler.trigger("dev")).id);
  await scheduler.trigger("other");
  await world.clock.advance(100);
  await scheduler.pause({ agent: "dev" });
  expect(await scheduler.killAgent("dev", { queued: false, why: "by ann" })).toEqual({
    ...{ killed: ids.slice(0, 2), cancelled: [], failed: [] },
  });
  await world.clock.advance(100);
  expect(await scheduler.killAgent("dev", { queued: true })).toEqual({
    ...{ killed: [], cancelled: ids.slice(2), failed: [] },
  });
  await world.clock.advance(100);
  expect(await world.history()).toEqual([
    ...["dev manual killed", "dev manual killed", "dev manual cancelled", "dev manual cancelled"],
    "other manual running",
  ]);
  expect(await world.store.get(ids[0] ?? "")).toMatchObject({ detail: "by ann" });
});

it("a run killed while it is being made never starts, also when its runtime dies meanwhile", async () => {
  for (const dies of [false, true]) {
    const { world, scheduler } = await start();
    const error = new AlError("busy", { code: "docker-failed", blame: "transient" });
    world.engine.failures = [{ call: "create", error }];
    const { id } = await scheduler.trigger("dev");
    await world.clock.advance(100);
    const killed = scheduler.kill(id);
    killed.catch(() => undefined);
    if (dies) {
      await world.clock.advance(0);
      await scheduler.stop();
      await world.open().start();
    }
    await world.clock.advance(MINUTE);
    if (!dies) expect(await killed).toBe(true);
    expect(world.engine.starts).toEqual([]);
    expect(await world.history()).toEqual(["dev manual killed"]);
  }
});

it("a start whose answer was lost is not taken back by a pause, nor made again", async () => {
  const { world, scheduler } = await start();
  const started = world.engine.start.bind(world.engine);
  world.engine.start = async (run) => {
    await started(run);
    if (world.engine.starts.length > 1) return;
    throw new AlError("connection lost", { code: "docker-failed", blame: "transient" });
  };
  world.engine.behaviour = () => ({ ms: MINUTE, code: 0 });
  await scheduler.trigger("dev");
  await world.clock.advance(100);
  await scheduler.pause({});
  await world.clock.advance(10 * MINUTE);
  await scheduler.resume({});
  await world.clock.advance(10 * MINUTE);
  expect(world.engine.starts).toHaveLength(1);
  expect(await world.history()).toEqual(["dev manual completed"]);
});

it("a kill is carried out by the next runtime when this one dies before it could", async () => {
  const { world, scheduler } = await start();
  world.engine.behaviour = () => ({ ms: HOUR, code: 0 });
  const { id } = await scheduler.trigger("dev");
  await running(world, id);
  await scheduler.stop();
  await world.store.killing(id, { reason: "killed", detail: "by ann" });
  await world.open().start();
  await world.clock.advance(MINUTE);
  expect(await world.store.get(id)).toMatchObject({ outcome: "killed", detail: "by ann" });
});
