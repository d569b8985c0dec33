import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { release } from "./harness.ts";
import { mortal } from "./mortal.ts";
import { scheduled } from "./scheduled-world.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe("ticks while no runtime was at work", () => {
  it("are gone under `none`, and a warning says how many", async () => {
    const { world, open, times, missed } = scheduled();
    const old = await open();
    await world.clock.advance(90 * MINUTE);
    await old.stop();
    await world.clock.advance(3 * HOUR);
    await open();
    await world.clock.advance(HOUR);
    expect(await times()).toEqual(["01:00", "05:00"]);
    expect(missed()).toEqual([3]);
  });

  it("get one run under `once`, as soon as possible, and no second one", async () => {
    const { world, open, times, missed } = scheduled({ catchUp: "once" });
    const old = await open();
    await world.clock.advance(90 * MINUTE);
    await old.stop();
    await world.clock.advance(3 * HOUR);
    const next = await open();
    await world.clock.advance(MINUTE);
    expect(await times()).toEqual(["01:00", "04:30"]);
    expect(missed()).toEqual([3]);
    await next.stop();
    await open();
    await world.clock.advance(HOUR);
    expect(await times()).toEqual(["01:00", "04:30", "05:00"]);
    expect(await world.history()).toEqual(Array(3).fill("dev schedule completed"));
  });

  it("are not missed when it was away for less than two minutes", async () => {
    const { world, open, times, missed } = scheduled();
    const old = await open();
    await world.clock.advance(HOUR - SECOND);
    await old.stop();
    await world.clock.advance(30 * SECOND);
    await open();
    await world.clock.advance(MINUTE);
    expect([await times(), missed()]).toEqual([["01:00"], []]);
  });
});

describe("missed ticks", () => {
  it("are counted up to a hundred", async () => {
    const { world, open, missed } = scheduled({ schedule: "* * * * * *" });
    const old = await open();
    await old.stop();
    await world.clock.advance(30 * 24 * HOUR);
    await open();
    await world.clock.advance(0);
    expect(missed()).toEqual(["over 100"]);
  });

  it("do not count when the schedule is new or another one, or its agent was away", async () => {
    const { world, set, open, times, missed } = scheduled({ catchUp: "once" });
    await (await open()).stop();
    await world.clock.advance(5.5 * HOUR);
    set({ schedule: "15 * * * *" });
    const second = await open();
    await world.clock.advance(0);
    set({ schedule: "15 * * * *", timezone: "Asia/Kolkata" });
    await second.reload();
    set({ scale: 0 });
    await second.reload();
    await world.clock.advance(5 * HOUR);
    set();
    await second.reload();
    await world.clock.advance(MINUTE);
    expect([await times(), missed()]).toEqual([[], []]);
  });

  it("are made up for by the tick that is just due", async () => {
    const { world, open, times } = scheduled({ catchUp: "once" });
    await (await open()).stop();
    await world.clock.advance(5 * HOUR);
    await open();
    await world.clock.advance(59 * MINUTE);
    expect(await times()).toEqual(["05:00"]);
  });
});

describe("a pause", () => {
  it.each([
    ["none", ["04:00"]],
    ["once", ["03:30", "04:00"]],
  ] as const)(
    "lets ticks be missed, and with %s what follows is known",
    async (catchUp, expected) => {
      for (const target of [{}, { agent: "dev" }]) {
        const { world, open, times, missed } = scheduled({ catchUp });
        const scheduler = await open();
        await scheduler.pause(target);
        await world.clock.advance(3.5 * HOUR);
        expect(await world.history()).toEqual([]);
        await scheduler.resume(target);
        await world.clock.advance(HOUR);
        expect([await times(), missed()]).toEqual([expected, [3]]);
      }
    },
  );

  it("does not count ticks of a schedule that was changed meanwhile", async () => {
    const { world, set, open, times } = scheduled({ catchUp: "once" });
    const scheduler = await open();
    await scheduler.pause({});
    await world.clock.advance(3 * HOUR + MINUTE);
    set({ schedule: "30 * * * *" });
    await scheduler.reload();
    await scheduler.resume({});
    await world.clock.advance(HOUR);
    expect(await times()).toEqual(["03:30"]);
  });

  it("of a disabled agent makes its ticks nothing", async () => {
    const { world, open, times, missed } = scheduled({ catchUp: "once" });
    const scheduler = await open();
    await scheduler.disable({ agent: "dev" });
    await world.clock.advance(3.5 * HOUR);
    await scheduler.enable({ agent: "dev" });
    await world.clock.advance(HOUR);
    expect([await times(), missed()]).toEqual([["04:00"], []]);
  });
});

describe("a tick without a free runner", () => {
  it("waits under `once`, and one run stands for all that wait", async () => {
    const { world, open } = scheduled({ catchUp: "once", schedule: "* * * * *" });
    world.engine.behaviour = () => ({ ms: 5 * MINUTE, code: 0 });
    await open();
    await world.clock.advance(4.5 * MINUTE);
    expect(await world.history()).toEqual(["dev schedule running", "dev schedule queued"]);
    await world.clock.advance(20 * MINUTE);
    expect(world.engine.starts).toHaveLength(5);
    expect(world.warnings).toEqual([]);
  });

  it("waits under `once` until the runtime can start runs", async () => {
    const { world, open } = scheduled({ catchUp: "once" });
    world.ready = false;
    const scheduler = await open();
    await world.clock.advance(5.5 * HOUR);
    expect(await world.history()).toEqual(["dev schedule queued"]);
    world.ready = true;
    scheduler.poke();
    await world.clock.advance(MINUTE);
    expect(await world.history()).toEqual(["dev schedule completed"]);
  });

  it("waits for room in the queue without taking it", async () => {
    const { world, open } = scheduled({ catchUp: "once" });
    const agents = [...(world.release?.agents.values() ?? [])];
    world.release = release(agents, { workQueueSize: 1 });
    const scheduler = await open();
    world.ready = false;
    await scheduler.trigger("dev");
    await world.clock.advance(2.5 * HOUR);
    expect(await world.history()).toEqual(["dev manual queued"]);
    world.ready = true;
    scheduler.poke();
    await world.clock.advance(2 * MINUTE);
    expect(await world.history()).toEqual(["dev manual completed", "dev schedule completed"]);
  });
});

it("a runtime whose store fails starts all the same, and ticks on", async () => {
  const { world, times } = scheduled();
  const fail = async () => {
    throw new TypeError("disk full");
  };
  let isFull = true;
  const ticks = {
    handledUntil: fail,
    handled: async () => {
      if (isFull) await fail();
    },
    keep: fail,
  };
  await world.open({ ticks }).start();
  isFull = false;
  await world.clock.advance(2 * HOUR + MINUTE);
  expect(await times()).toEqual(["01:00", "02:00"]);
});

it("a store that fails loses no tick", async () => {
  const { world, times } = scheduled();
  let fails = true;
  const ticks = {
    handledUntil: async () => Date.parse("2026-01-01T00:00:00Z"),
    handled: async () => {
      if (fails) throw new TypeError("disk full");
    },
    keep: async () => undefined,
  };
  await world.open({ ticks }).start();
  await world.clock.advance(HOUR + MINUTE);
  fails = false;
  await world.clock.advance(HOUR);
  expect(await times()).toEqual(["01:00", "02:00"]);
});

it("however often the scheduler dies, `once` makes one run of what was missed", async () => {
  const death = fc.record({ call: fc.integer({ min: 1, max: 12 }), after: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(death, { minLength: 1, maxLength: 5 }), async (deaths) => {
      const { world, open, times } = scheduled({ catchUp: "once" });
      await (await open()).stop();
      await world.clock.advance(3.5 * HOUR);
      for (const each of deaths) {
        const dying = mortal(each);
        const [runner, store] = [dying(world.engine), dying(world.store)];
        const [ticks, holds] = [dying(world.ticks), dying(world.holds)];
        world
          .open({ runner, store, ticks, holds })
          .start()
          .catch(() => undefined);
        await world.clock.advance(2 * SECOND);
      }
      await open();
      await world.clock.advance(MINUTE);
      expect(await times()).toEqual(["03:30"]);
      expect(await world.history()).toEqual(["dev schedule completed"]);
    }),
    { numRuns: 100 },
  );
}, 60_000);
