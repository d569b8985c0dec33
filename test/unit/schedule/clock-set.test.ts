import { describe, expect, it } from "vitest";
import { Locks } from "../../../src/schedule/locks.ts";
import { createLockStore } from "../../../src/state/lock-store.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { agent, createWorld, release } from "./harness.ts";
import { scheduled } from "./scheduled-world.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe("jitter", () => {
  it("delays every tick of an agent by the same time, shorter than it says", async () => {
    const { world, open, times } = scheduled({ jitterSeconds: 1800 });
    const scheduler = await open();
    const due = (await scheduler.agents())[0]?.nextRunAt ?? 0;
    const delay = due - Date.parse("2026-01-01T01:00:00Z");
    expect(delay).toBeGreaterThan(0);
    expect(delay).toBeLessThan(30 * MINUTE);
    await world.clock.advance(HOUR + delay - SECOND);
    expect(await times()).toEqual([]);
    await world.clock.advance(HOUR + SECOND);
    const minute = new Date(due).toISOString().slice(14, 16);
    expect(await times()).toEqual([`01:${minute}`, `02:${minute}`]);
  });

  it("spreads agents that have one schedule", async () => {
    const { world, open } = scheduled();
    const names = Array.from({ length: 20 }, (_, n) => `agent-${n}`);
    const same = { schedule: "0 * * * *", jitterSeconds: 3600 };
    world.release = release(names.map((name) => agent(name, same)));
    const scheduler = await open();
    const due = (await scheduler.agents()).map(({ nextRunAt }) => nextRunAt);
    expect(new Set(due).size).toBe(20);
  });
});

describe("a clock that is set", () => {
  it.each([
    ["none", ["01:00", "03:00", "04:00"], [1]],
    // Noticed within a minute.
    ["once", ["01:00", "02:31", "03:00", "04:00"], [1]],
  ] as const)(
    "an hour forward, under %s: what it passed over is missed",
    async (catchUp, expected, missing) => {
      const { world, open, times, missed } = scheduled({ catchUp });
      await open();
      await world.clock.advance(90 * MINUTE);
      world.clock.jump(HOUR);
      await world.clock.advance(2 * HOUR);
      expect([await times(), missed()]).toEqual([expected, missing]);
    },
  );

  it("an hour back: nothing is run twice, and nothing is missed", async () => {
    const { world, open, times, missed } = scheduled({ catchUp: "once", schedule: "*/30 * * * *" });
    await open();
    await world.clock.advance(HOUR + 31 * MINUTE);
    world.clock.jump(-HOUR);
    await world.clock.advance(2 * HOUR);
    expect(await times()).toEqual(["00:30", "01:00", "01:30", "02:00", "02:30"]);
    expect(missed()).toEqual([]);
  });

  it("an hour back while no runtime was at work: the same", async () => {
    const { world, open, times, missed } = scheduled({ catchUp: "once" });
    const old = await open();
    await world.clock.advance(2 * HOUR + MINUTE);
    await old.stop();
    world.clock.jump(-HOUR);
    await open();
    await world.clock.advance(2 * HOUR);
    expect([await times(), missed()]).toEqual([["01:00", "02:00", "03:00"], []]);
  });

  it("back by more than three hours: schedules go by the new time", async () => {
    const { world, open, times } = scheduled();
    world.clock.jump(365 * 24 * HOUR);
    await open();
    await world.clock.advance(HOUR + MINUTE);
    world.clock.jump(-365 * 24 * HOUR);
    await world.clock.advance(2 * HOUR);
    expect(await times()).toEqual(["01:00", "02:00", "03:00"]);
    expect(world.warnings.map(({ message }) => message)).toContain(
      "the clock was set back by hours; the schedule goes by the new time",
    );
  });

  it.each([HOUR, -HOUR])("by %i ms kills no run before its timeout, and none later", async (ms) => {
    const { world, open } = scheduled({ timeoutSeconds: 600 });
    world.engine.behaviour = () => ({ ms: 24 * HOUR, code: 0 });
    const scheduler = await open();
    await scheduler.trigger("dev");
    await world.clock.advance(5 * MINUTE);
    world.clock.jump(ms);
    await world.clock.advance(5.9 * MINUTE);
    expect(world.engine.running()).toBe(1);
    await world.clock.advance(0.2 * MINUTE);
    expect(world.engine.running()).toBe(0);
    expect((await world.history())[0]).toBe("dev manual timed-out");
  });
});

it("a clock set back between two runtimes does not change the order of what waits", async () => {
  const { world, open } = scheduled();
  world.ready = false;
  const old = await open();
  const ids = [(await old.trigger("dev")).id, (await old.trigger("dev")).id];
  await old.stop();
  world.clock.jump(-HOUR);
  const next = await open();
  ids.push((await next.trigger("dev")).id);
  world.ready = true;
  next.poke();
  await world.clock.advance(MINUTE);
  expect(world.engine.starts).toEqual(ids);
});

it.each([HOUR, -HOUR])("by %i ms neither ends a lock nor prolongs it", async (ms) => {
  const database = openDatabase(":memory:", RUN_MIGRATIONS);
  const { clock, release: live } = createWorld();
  const store = createRunStore(database);
  for (const id of ["1", "2"]) {
    const trigger = { kind: "manual" } as const;
    await store.accept({ id, agent: "dev", trigger, createdAt: clock.now(), reruns: 0 });
  }
  const [one, two] = await store.unfinished();
  const releases = { current: async () => live };
  const locks = new Locks({ store: createLockStore(database), releases, clock: clock.steady });
  if (!one || !two) throw new TypeError("no runs");
  await locks.acquire(one, "thing", { ttlSeconds: 600 });
  clock.jump(ms);
  await clock.advance(9 * MINUTE);
  expect(await locks.acquire(two, "thing")).toMatchObject({ kind: "taken" });
  await clock.advance(2 * MINUTE);
  expect(await locks.acquire(two, "thing")).toMatchObject({ kind: "held" });
});
