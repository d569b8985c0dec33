import { describe, expect, it } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import { agent, createWorld, release } from "./harness.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

describe("an engine that fails", () => {
  const failure = (blame: "transient" | "terminal") =>
    new AlError("engine says no", { code: "docker-failed", blame });

  it("is asked again, and the run starts once", async () => {
    const world = createWorld();
    world.engine.failures = [
      { call: "create", error: failure("transient") },
      { call: "start", error: failure("transient") },
    ];
    const scheduler = world.open();
    await scheduler.start();
    await scheduler.trigger("dev");
    await world.clock.advance(MINUTE);
    expect(await world.history()).toEqual(["dev manual completed"]);
    expect(world.engine.starts).toHaveLength(1);
  });

  it("makes a run not-started, with what it said, when it fails for good", async () => {
    const world = createWorld();
    world.engine.failures = [{ call: "create", error: failure("terminal") }];
    const scheduler = world.open();
    await scheduler.start();
    const { id } = await scheduler.trigger("dev");
    await world.clock.advance(10);
    expect(await world.store.get(id)).toMatchObject({
      ...{ outcome: "not-started", detail: "engine says no" },
    });
  });

  it("loses no run while it does not answer", async () => {
    const world = createWorld();
    const failures = Array.from({ length: 20 }, () => failure("transient"));
    world.engine.failures = failures.map((error) => ({ call: "wait", error }));
    const scheduler = world.open();
    await scheduler.start();
    await scheduler.trigger("dev");
    await world.clock.advance(20 * MINUTE);
    expect(await world.history()).toEqual(["dev manual completed"]);
  });
});

describe("handing over", () => {
  it("leaves runs running, and the next scheduler adopts them", async () => {
    const world = createWorld();
    world.engine.behaviour = () => ({ ms: 10 * SECOND, code: 0 });
    const old = world.open();
    await old.start();
    const { id } = await old.trigger("dev");
    await world.clock.advance(SECOND);
    await old.stop();
    expect(world.engine.running()).toBe(1);
    await expect(old.trigger("dev")).rejects.toMatchObject({ code: "not-serving" });
    const next = world.open();
    await next.start();
    await world.clock.advance(10 * SECOND);
    expect(await world.store.get(id)).toMatchObject({ outcome: "completed", exitCode: 0 });
    expect(world.engine.starts).toEqual([id]);
  });

  it("records what ended while nobody looked", async () => {
    const world = createWorld();
    const old = world.open();
    await old.start();
    const { id } = await old.trigger("dev");
    await world.clock.advance(100);
    await old.stop();
    await world.clock.advance(MINUTE);
    await world.open().start();
    await world.clock.advance(10);
    const run = await world.store.get(id);
    expect(run?.outcome).toBe("completed");
    expect((run?.endedAt ?? 0) - (run?.startedAt ?? 0)).toBe(SECOND);
  });

  it("enforces the rest of a timeout on an adopted run", async () => {
    const world = createWorld();
    world.release = release([agent("dev", { timeoutSeconds: 60 })]);
    world.engine.behaviour = () => ({ ms: 999 * MINUTE, code: 0 });
    const old = world.open();
    await old.start();
    await old.trigger("dev");
    await world.clock.advance(MINUTE);
    await old.stop();
    await world.clock.advance(30 * SECOND);
    await world.open().start();
    await world.clock.advance(29 * SECOND);
    expect(world.engine.running()).toBe(1);
    await world.clock.advance(2 * SECOND);
    expect(await world.history()).toEqual(["dev manual timed-out"]);
  });

  it("starts nothing while another runtime is live", async () => {
    const world = createWorld();
    const scheduler = world.open();
    await scheduler.start();
    world.release = undefined;
    await expect(scheduler.trigger("dev")).rejects.toMatchObject({ code: "not-serving" });
  });
});
