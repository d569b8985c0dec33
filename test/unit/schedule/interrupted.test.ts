import fc from "fast-check";
import { expect, it } from "vitest";
import type { ReleasedAgent } from "../../../src/core/released.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { createRunUpkeep } from "../../../src/state/run-upkeep.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { agent, createWorld, release } from "./harness.ts";
import { mortal } from "./mortal.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A world whose runs are in a real database, and whose host may die under them. */
function fragile(more: Partial<ReleasedAgent> = {}, project: { maxReruns?: number } = {}) {
  const database = openDatabase(":memory:", RUN_MIGRATIONS);
  const store = createRunStore(database);
  const world = createWorld({ store });
  world.release = release([agent("dev", { onInterrupted: "rerun", ...more })], project);
  world.engine.behaviour = () => ({ ms: MINUTE, code: 0 });
  /** As dockerd shows containers of a host that went down. */
  const hostDies = () => {
    for (const name of world.engine.containers.keys()) world.engine.end(name, 255);
  };
  return { world, database, store, hostDies };
}

it("a run whose host died is run again, once, with the same trigger and context", async () => {
  const { world, store, hostDies } = fragile();
  const old = world.open();
  await old.start();
  const context = { title: "issue 1" };
  const trigger = { kind: "webhook", source: "github", context } as const;
  const { id } = await old.trigger("dev", trigger);
  await world.clock.advance(SECOND);
  await old.stop();
  hostDies();
  await world.open().start();
  await world.clock.advance(SECOND);
  const [again] = await store.list({ limit: 1 });
  expect(again).toMatchObject({ rerunOf: id, reruns: 1, state: "running" });
  expect(await store.trigger(again?.id ?? "")).toEqual(trigger);
  await world.clock.advance(MINUTE);
  expect(await world.history()).toEqual(["dev webhook interrupted", "dev webhook completed"]);
});

it("a run whose container vanished is run again, as often as maxReruns says", async () => {
  const { world, store } = fragile({}, { maxReruns: 1 });
  const scheduler = world.open();
  await scheduler.start();
  await scheduler.trigger("dev");
  for (let times = 0; times < 3; times += 1) {
    await world.clock.advance(SECOND);
    for (const name of [...world.engine.containers.keys()]) world.engine.vanish(name);
  }
  await world.clock.advance(MINUTE);
  expect(await world.history()).toEqual(["dev manual interrupted", "dev manual interrupted"]);
  const [last] = await store.list({ limit: 1 });
  expect(last?.detail).toBe("its container is gone; maxReruns (1) is reached");
});

it("what was killed, or was called, is not run again", async () => {
  const { world, store, hostDies } = fragile();
  const scheduler = world.open();
  await scheduler.start();
  const caller = { ...(await scheduler.trigger("dev")), agent: "other" };
  await world.clock.advance(SECOND);
  await scheduler.kill(caller.id);
  await world.clock.advance(SECOND);
  const { id } = await scheduler.call(caller, { target: "dev", context: null });
  await world.clock.advance(SECOND);
  hostDies();
  await world.clock.advance(MINUTE);
  expect(await world.history()).toEqual(["dev manual killed", "dev call interrupted"]);
  expect((await store.get(id))?.detail).toContain("a run started by a call is not run again");
});

it.each([
  [255, "interrupted"],
  [42, "rerun"],
])("what lost its record is not run again when it ends with %i", async (code, outcome) => {
  const { world, database, store } = fragile();
  const old = world.open();
  await old.start();
  const { id } = await old.trigger("dev");
  await world.clock.advance(SECOND);
  await old.stop();
  const { start, startedAt } = (await store.get(id)) ?? {};
  if (!start || startedAt === undefined) throw new TypeError("it has not started");
  database.exec("DELETE FROM runs");
  await createRunUpkeep(database).restore({ id, agent: "dev", createdAt: 1, startedAt, start });
  world.engine.end(start.container, code);
  await world.open().start();
  await world.clock.advance(MINUTE);
  expect(await world.history()).toEqual([`dev lost ${outcome}`]);
  expect((await store.get(id))?.detail).toMatch(/a run whose record was lost is not run again$/);
});

it("an agent that does not say so is not run again", async () => {
  const { world, hostDies } = fragile({ onInterrupted: "none" });
  const scheduler = world.open();
  await scheduler.start();
  await scheduler.trigger("dev");
  await world.clock.advance(SECOND);
  hostDies();
  await world.clock.advance(MINUTE);
  expect(await world.history()).toEqual(["dev manual interrupted"]);
});

it("an interrupted run is followed by one run, whenever the scheduler dies", async () => {
  const death = fc.record({ call: fc.integer({ min: 1, max: 20 }), after: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(death, { minLength: 1, maxLength: 4 }), async (deaths) => {
      const { world, store, hostDies } = fragile();
      const first = world.open();
      await first.start();
      await first.trigger("dev");
      await world.clock.advance(SECOND);
      await first.stop();
      hostDies();
      for (const each of deaths) {
        const dying = mortal(each);
        const scheduler = world.open({ runner: dying(world.engine), store: dying(store) });
        scheduler.start().catch(() => undefined);
        await world.clock.advance(SECOND);
      }
      await world.open().start();
      await world.clock.advance(10 * MINUTE);
      expect(await world.history()).toEqual(["dev manual interrupted", "dev manual completed"]);
      expect(world.engine.starts).toHaveLength(2);
    }),
    { numRuns: 100 },
  );
}, 60_000);
