import { describe, expect, it } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import { agent, createWorld, release } from "./harness.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

describe("a manual trigger", () => {
  it("starts a run, and its end is recorded", async () => {
    const world = createWorld();
    const scheduler = world.open();
    await scheduler.start();
    const { id } = await scheduler.trigger("dev");
    await world.clock.advance(500);
    expect(await world.store.get(id)).toMatchObject({
      state: "running",
      made: { imageId: "sha256:1", credentialVersions: { "a:b": "1" } },
      start: { revision: "revision", image: "image", credentials: "set", container: `run-${id}` },
    });
    expect(await scheduler.activeRuns()).toBe(1);
    await world.clock.advance(SECOND);
    expect(await world.store.get(id)).toMatchObject({
      ...{ state: "finished", outcome: "completed", exitCode: 0 },
    });
    expect(world.engine.containers.size).toBe(0);
  });

  it("is not settled while a run that is being made needs a release that is not live any more", async () => {
    const world = createWorld();
    const scheduler = world.open();
    await scheduler.start();
    const error = new AlError("busy", { code: "docker-failed", blame: "transient" });
    world.engine.failures = [{ call: "create", error }];
    await scheduler.trigger("dev");
    await world.clock.advance(100);
    expect(await scheduler.isSettled()).toBe(true);
    world.release = { ...release([agent("dev")]), release: "next" };
    expect(await scheduler.isSettled()).toBe(false);
    await world.clock.advance(SECOND);
    expect(world.engine.running()).toBe(1);
    expect(await scheduler.isSettled()).toBe(true);
  });

  it("waits its turn behind a busy agent, in the order of triggers", async () => {
    const world = createWorld();
    const scheduler = world.open();
    await scheduler.start();
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.push((await scheduler.trigger("dev")).id);
    await world.clock.advance(500);
    expect(world.engine.running()).toBe(1);
    await world.clock.advance(5 * SECOND);
    expect(world.engine.starts).toEqual(ids);
  });

  it("is refused, with the reason, when as many wait as workQueueSize allows", async () => {
    const world = createWorld();
    world.release = release([agent("dev")], { workQueueSize: 1 });
    const scheduler = world.open();
    await scheduler.start();
    await scheduler.trigger("dev");
    await world.clock.advance(100);
    await scheduler.trigger("dev");
    await expect(scheduler.trigger("dev")).rejects.toMatchObject({
      code: "queue-full",
      message: expect.stringContaining("workQueueSize"),
    });
  });

  it("is refused for an agent that is unknown or disabled", async () => {
    const world = createWorld();
    world.release = release([agent("off", { scale: 0 })]);
    const scheduler = world.open();
    await scheduler.start();
    await expect(scheduler.trigger("nobody")).rejects.toMatchObject({ code: "unknown-agent" });
    await expect(scheduler.trigger("off")).rejects.toMatchObject({ code: "agent-disabled" });
  });
});

describe("a waiting trigger", () => {
  it("starts when the runtime gets ready", async () => {
    const world = createWorld();
    world.ready = false;
    const scheduler = world.open();
    await scheduler.start();
    await scheduler.trigger("dev");
    await world.clock.advance(MINUTE);
    expect(world.engine.starts).toEqual([]);
    world.ready = true;
    scheduler.poke();
    await world.clock.advance(10);
    expect(world.engine.starts).toHaveLength(1);
  });

  it("uses the release that is live when it starts", async () => {
    const world = createWorld();
    const scheduler = world.open();
    await scheduler.start();
    await scheduler.trigger("dev");
    const { id } = await scheduler.trigger("dev");
    await world.clock.advance(100);
    world.release = { ...release([agent("dev", { image: "newer" })]), revision: "next" };
    await world.clock.advance(SECOND);
    expect((await world.store.get(id))?.start).toMatchObject({ image: "newer", revision: "next" });
  });

  it("is cancelled, with the reason, when its agent goes away while it waits", async () => {
    const world = createWorld();
    const scheduler = world.open();
    await scheduler.start();
    await scheduler.trigger("dev");
    const { id } = await scheduler.trigger("dev");
    await world.clock.advance(100);
    world.release = release([agent("other")]);
    await scheduler.reload();
    await world.clock.advance(10);
    expect(await world.store.get(id)).toMatchObject({
      outcome: "cancelled",
      detail: expect.stringContaining("no agent dev"),
    });
  });
});

describe("limits", () => {
  it("lets as many runs of an agent go at once as its scale says", async () => {
    const world = createWorld();
    world.release = release([agent("dev", { scale: 2 })]);
    const scheduler = world.open();
    await scheduler.start();
    for (let n = 0; n < 5; n += 1) await scheduler.trigger("dev");
    await world.clock.advance(100);
    expect(world.engine.running()).toBe(2);
    await world.clock.advance(10 * SECOND);
    expect(world.engine.starts).toHaveLength(5);
  });

  it("keeps the project's scale over all agents", async () => {
    const world = createWorld();
    world.release = release([agent("a", { scale: 5 }), agent("b", { scale: 5 })], { scale: 3 });
    const scheduler = world.open();
    await scheduler.start();
    for (const name of ["a", "b", "a", "b", "a"]) await scheduler.trigger(name);
    await world.clock.advance(100);
    expect(world.engine.running()).toBe(3);
  });

  it("does not let a busy agent hold up another one", async () => {
    const world = createWorld();
    world.release = release([agent("busy"), agent("free")]);
    const scheduler = world.open();
    await scheduler.start();
    await scheduler.trigger("busy");
    await scheduler.trigger("busy");
    await scheduler.trigger("free");
    await world.clock.advance(100);
    expect(world.engine.running()).toBe(2);
  });
});

describe("reruns", () => {
  it("runs again after exit 42, until it has enough", async () => {
    const world = createWorld();
    let left = 2;
    world.engine.behaviour = () => ({ ms: SECOND, code: left-- > 0 ? 42 : 0 });
    const scheduler = world.open();
    await scheduler.start();
    await scheduler.trigger("dev");
    await world.clock.advance(10 * SECOND);
    expect(await world.history()).toEqual([
      "dev manual rerun",
      "dev manual rerun",
      "dev manual completed",
    ]);
    const [last] = await world.store.list({ limit: 1 });
    expect(last).toMatchObject({ reruns: 2 });
  });

  it("stops at maxReruns and says so", async () => {
    const world = createWorld();
    world.release = release([agent("dev")], { maxReruns: 1 });
    world.engine.behaviour = () => ({ ms: SECOND, code: 42 });
    const scheduler = world.open();
    await scheduler.start();
    await scheduler.trigger("dev");
    await world.clock.advance(20 * SECOND);
    expect(world.engine.starts).toHaveLength(2);
    const [last] = await world.store.list({ limit: 1 });
    expect(last?.detail).toContain("maxReruns");
  });
});

describe("ends", () => {
  it.each([
    [1, "failed", undefined],
    [10, "failed", "authentication failed"],
    [124, "timed-out", undefined],
    [137, "interrupted", "ended from outside (exit code 137)"],
    [255, "interrupted", "ended from outside (exit code 255)"],
  ])("records exit %i as %s", async (code, outcome, detail) => {
    const world = createWorld();
    world.engine.behaviour = () => ({ ms: SECOND, code });
    const scheduler = world.open();
    await scheduler.start();
    const { id } = await scheduler.trigger("dev");
    await world.clock.advance(2 * SECOND);
    const run = await world.store.get(id);
    expect([run?.outcome, run?.exitCode, run?.detail]).toEqual([outcome, code, detail]);
  });

  it("kills a run a minute after its timeout, when it has not ended itself", async () => {
    const world = createWorld();
    world.release = release([agent("dev", { timeoutSeconds: 30 })]);
    world.engine.behaviour = () => ({ ms: 999 * MINUTE, code: 0 });
    const scheduler = world.open();
    await scheduler.start();
    const { id } = await scheduler.trigger("dev");
    await world.clock.advance(89 * SECOND);
    expect(await world.store.get(id)).toMatchObject({ state: "running" });
    await world.clock.advance(2 * SECOND);
    expect(await world.store.get(id)).toMatchObject({ outcome: "timed-out", exitCode: 137 });
  });

  it("kills a run on request, and says whether it did", async () => {
    const world = createWorld();
    const scheduler = world.open();
    await scheduler.start();
    const { id } = await scheduler.trigger("dev");
    const waiting = await scheduler.trigger("dev");
    await world.clock.advance(100);
    expect(await scheduler.kill(waiting.id)).toBe(true);
    expect(await scheduler.kill(id)).toBe(true);
    await world.clock.advance(10);
    expect(await scheduler.kill(id)).toBe(false);
    expect(await world.history()).toEqual(["dev manual killed", "dev manual cancelled"]);
  });

  it("records a run whose container went away as interrupted, and does not start it again", async () => {
    const world = createWorld();
    const scheduler = world.open();
    await scheduler.start();
    const { id } = await scheduler.trigger("dev");
    await world.clock.advance(100);
    world.engine.vanish(`run-${id}`);
    await world.clock.advance(MINUTE);
    expect(await world.history()).toEqual(["dev manual interrupted"]);
    expect(world.engine.starts).toHaveLength(1);
  });
});
