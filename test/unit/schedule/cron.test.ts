import { describe, expect, it } from "vitest";
import { agent, createWorld, release } from "./harness.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe("a schedule", () => {
  it("starts a run at each tick", async () => {
    const world = createWorld();
    world.release = release([agent("dev", { schedule: "*/5 * * * *" })]);
    const scheduler = world.open();
    await scheduler.start();
    await world.clock.advance(HOUR + SECOND);
    expect(await world.history()).toEqual(Array(12).fill("dev schedule completed"));
    const [last] = await world.store.list({ limit: 1 });
    expect(new Date(last?.createdAt ?? 0).toISOString()).toBe("2026-01-01T01:00:00.000Z");
  });

  it("accepts six fields, with seconds", async () => {
    const world = createWorld();
    world.release = release([agent("dev", { schedule: "*/10 * * * * *" })]);
    const scheduler = world.open();
    await scheduler.start();
    await world.clock.advance(MINUTE + SECOND);
    expect(world.engine.starts).toHaveLength(6);
  });

  it("follows the agent's timezone, through a change of its clocks", async () => {
    const world = createWorld({ start: "2026-03-28T00:00:00Z" });
    const daily = { schedule: "0 9 * * *", timezone: "Europe/Berlin" };
    world.release = release([agent("dev", daily)]);
    const scheduler = world.open();
    await scheduler.start();
    await world.clock.advance(48 * HOUR);
    const runs = [...(await world.store.list({ limit: 9 }))].reverse();
    expect(runs.map(({ createdAt }) => new Date(createdAt).toISOString())).toEqual([
      "2026-03-28T08:00:00.000Z",
      "2026-03-29T07:00:00.000Z",
    ]);
  });

  it("skips a tick that finds no free runner, with a warning", async () => {
    const world = createWorld();
    world.release = release([agent("dev", { schedule: "* * * * *" })]);
    world.engine.behaviour = () => ({ ms: 90 * SECOND, code: 0 });
    const scheduler = world.open();
    await scheduler.start();
    await world.clock.advance(2 * MINUTE + SECOND);
    expect(world.engine.starts).toHaveLength(1);
    expect(world.warnings).toContainEqual({
      fields: expect.objectContaining({ agent: "dev", reason: "no free runner" }),
      message: "scheduled run skipped",
    });
    await world.clock.advance(MINUTE);
    expect(world.engine.starts).toHaveLength(2);
  });

  it("waits two minutes for a runtime that is not ready", async () => {
    for (const [minutes, expected] of [
      [1.5, ["dev schedule running"]],
      [2.5, []],
    ] as const) {
      const world = createWorld();
      world.release = release([agent("dev", { schedule: "0 * * * *" })]);
      world.ready = false;
      const scheduler = world.open();
      await scheduler.start();
      await world.clock.advance(HOUR + minutes * MINUTE);
      expect(await world.history()).toEqual([]);
      world.ready = true;
      scheduler.poke();
      await world.clock.advance(100);
      expect(await world.history()).toEqual(expected);
      const warnings = world.warnings.map(({ message }) => message);
      expect(warnings).toEqual(expected.length > 0 ? [] : ["scheduled runs were missed"]);
    }
  });
});

describe("the set of schedules", () => {
  it("changes with the release, and an unchanged one keeps its place", async () => {
    const world = createWorld();
    world.release = release([
      agent("gone", { schedule: "* * * * *" }),
      agent("kept", { schedule: "30 * * * * *" }),
    ]);
    const scheduler = world.open();
    await scheduler.start();
    await world.clock.advance(10 * SECOND);
    world.release = release([
      agent("kept", { schedule: "30 * * * * *" }),
      agent("new", { schedule: "40 * * * * *" }),
      agent("off", { schedule: "* * * * * *", scale: 0 }),
    ]);
    await scheduler.reload();
    await world.clock.advance(55 * SECOND);
    expect(await world.history()).toEqual(["kept schedule completed", "new schedule completed"]);
  });

  it("reports when it ticks next", async () => {
    const world = createWorld();
    world.release = release([agent("dev", { schedule: "0 12 * * *" }), agent("off", { scale: 0 })]);
    const scheduler = world.open();
    await scheduler.start();
    expect(await scheduler.agents()).toEqual([
      {
        ...{ name: "dev", schedule: "0 12 * * *", scale: 1, running: 0, queued: 0, enabled: true },
        nextRunAt: Date.parse("2026-01-01T12:00:00Z"),
      },
      { name: "off", scale: 0, running: 0, queued: 0, enabled: false },
    ]);
  });

  it("starts one run for a tick that two schedulers see", async () => {
    const world = createWorld();
    world.release = release([agent("dev", { schedule: "* * * * *", scale: 2 })]);
    await Promise.all([world.open().start(), world.open().start()]);
    await world.clock.advance(MINUTE + SECOND);
    expect(await world.history()).toHaveLength(1);
  });

  it("does not let a pattern nobody can read, or that never ticks, stop the others", async () => {
    const world = createWorld();
    world.release = release([
      agent("bad", { schedule: "every day" }),
      agent("never", { schedule: "0 0 30 2 *" }),
      agent("good", { schedule: "* * * * *" }),
    ]);
    const scheduler = world.open();
    await scheduler.start();
    await world.clock.advance(MINUTE + SECOND);
    expect(await world.history()).toEqual(["good schedule completed"]);
  });

  it("sleeps through months until a rare tick", async () => {
    const world = createWorld();
    world.release = release([agent("dev", { schedule: "0 0 1 3 *" })]);
    const scheduler = world.open();
    await scheduler.start();
    for (let day = 0; day < 60; day += 1) await world.clock.advance(24 * HOUR);
    expect(await world.history()).toHaveLength(1);
  }, 60_000);
});
