import { expect, it } from "vitest";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { agent, createWorld, release } from "./harness.ts";

const SECOND = 1000;

/** Runs in a real database, which says how many of them were read. */
function counting() {
  const database = openDatabase(":memory:", RUN_MIGRATIONS);
  const store = createRunStore(database);
  let read = 0;
  const counted = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as (...args: unknown[]) => unknown;
      return async (...args: unknown[]) => {
        const result = await value.apply(target, args);
        if (Array.isArray(result)) read += result.length;
        return result;
      };
    },
  });
  return { database, store, counted, reads: () => read };
}

function fill(database: ReturnType<typeof openDatabase>, agents: Record<string, number>) {
  const insert = database.prepare(
    `INSERT INTO runs (id, agent, trigger, state, created_at, reruns)
     VALUES (?, ?, '{"kind":"manual"}', 'queued', 0, 0)`,
  );
  database.exec("BEGIN");
  const names = Object.entries(agents).flatMap(([name, count]) => Array(count).fill(name));
  for (const [id, name] of names.entries()) insert.run(String(id).padStart(8, "0"), name);
  database.exec("COMMIT");
}

it("ten thousand runs start in order, and a start reads as much with many waiting as with few", async () => {
  const { database, store, counted, reads } = counting();
  const world = createWorld({ store });
  world.release = release([agent("dev", { scale: 10 })], { workQueueSize: 20_000 });
  world.engine.behaviour = () => ({ ms: SECOND, code: 0 });
  fill(database, { dev: 10_000 });
  const scheduler = world.open({ store: counted });
  await scheduler.start();
  await world.clock.advance(100 * SECOND + 1);
  const first = reads();
  const started = world.engine.starts.length;
  expect(started).toBe(1010);
  await world.clock.advance(899 * SECOND);
  expect(world.engine.starts).toHaveLength(10_000);
  expect(world.engine.starts).toEqual(world.engine.starts.toSorted());
  expect(reads() / 10_000).toBeLessThan((first / started) * 1.1);
  expect(first / started).toBeLessThan(50);
}, 120_000);

it("an agent with ten thousand runs keeps another one waiting for a turn only", async () => {
  const { database, store } = counting();
  const world = createWorld({ store });
  const agents = ["a", "b", "c"].map((name) => agent(name, { scale: 5 }));
  world.release = release(agents, { scale: 2 });
  fill(database, { a: 10_000, b: 3, c: 3 });
  const scheduler = world.open();
  await scheduler.start();
  await world.clock.advance(5 * SECOND);
  const order = world.engine.starts.map(async (id) => (await store.get(id))?.agent);
  expect((await Promise.all(order)).join(" ")).toMatch(/^a b c a b c a b c a a /);
}, 60_000);

it("accepting, asking and cancelling do not read what waits one by one", async () => {
  const { database, store, counted, reads } = counting();
  const world = createWorld({ store });
  world.ready = false;
  const limits = { maxRunsPerDay: 5 };
  world.release = release([agent("dev"), agent("day", { limits })], { workQueueSize: 20_000 });
  fill(database, { dev: 10_000, gone: 2000 });
  const scheduler = world.open({ store: counted });
  await scheduler.start();
  await scheduler.trigger("dev");
  await scheduler.isSettled();
  expect(await scheduler.activeRuns()).toBe(0);
  expect((await scheduler.agents())[0]).toMatchObject({ running: 0, queued: 10_001 });
  expect(reads()).toBeLessThan(20);
  world.ready = true;
  scheduler.poke();
  await world.clock.advance(10);
  expect(await store.countQueued({ agent: "gone" })).toBe(0);
  expect(world.engine.starts).toHaveLength(1);
}, 60_000);
