import fc from "fast-check";
import { expect, it } from "vitest";
import type { Run } from "../../../src/core/run.ts";
import { situationOf } from "../../../src/schedule/capacity.ts";
import { standingHolds } from "../../../src/schedule/holds.ts";
import { agent, createWorld, release } from "./harness.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;

/** Agents a, b, c, d with two places of their own each, in a project with so many places. */
async function start(scale: number) {
  const world = createWorld();
  const agents = ["a", "b", "c", "d"].map((name) => agent(name, { scale: 2 }));
  world.release = release(agents, { scale });
  world.engine.behaviour = () => ({ ms: 24 * HOUR, code: 0 });
  const scheduler = world.open();
  await scheduler.start();
  const settle = () => world.clock.advance(10);
  const names = async () => (await world.store.active()).map((run) => run.agent).join(" ");
  const trigger = async (name: string) => {
    const { id } = await scheduler.trigger(name);
    await settle();
    return id;
  };
  const call = async (callerRun: string, target: string) => {
    const caller = await world.store.get(callerRun);
    if (!caller) throw new TypeError(callerRun);
    const { id } = await scheduler.call(caller, { target, context: null });
    await settle();
    return id;
  };
  const end = async (id: string) => {
    world.engine.end(`run-${id}`, 0);
    await settle();
  };
  return { names, trigger, call, end, world, scheduler };
}

it("a run lends its place to one it called, and that one to the next", async () => {
  const { names, trigger, call, end } = await start(1);
  const a = await trigger("a");
  await trigger("d");
  const b = await call(a, "b");
  const c = await call(b, "c");
  expect(await names()).toBe("a b c");
  await end(c);
  await end(b);
  expect(await names()).toBe("a");
  await end(a);
  expect(await names()).toBe("d");
});

it("a run lends its place to one at a time, the oldest that has room", async () => {
  const { names, trigger, call, end } = await start(1);
  const a = await trigger("a");
  const b = await call(a, "b");
  await call(a, "c");
  expect(await names()).toBe("a b");
  await end(b);
  expect(await names()).toBe("a c");
});

it("a place stays lent through what a guest called, though the guest has ended", async () => {
  const { names, trigger, call, end } = await start(1);
  const a = await trigger("a");
  const b = await call(a, "b");
  const c = await call(b, "c");
  await end(b);
  await call(a, "d");
  expect(await names()).toBe("a c");
  await end(a);
  expect(await names()).toBe("c");
  await trigger("a");
  expect(await names()).toBe("c");
  await end(c);
  expect(await names()).toBe("d");
});

it("a call that found a free place gives one back, and no more than that", async () => {
  const { names, trigger, call } = await start(2);
  const a = await trigger("a");
  await call(a, "b");
  await trigger("c");
  await trigger("d");
  expect(await names()).toBe("a b c");
});

it("a guest has to find room at its own agent", async () => {
  const { names, trigger, call, end, world } = await start(2);
  world.release = release([agent("a"), agent("b")], { scale: 2 });
  const a = await trigger("a");
  const b = await trigger("b");
  await call(a, "b");
  expect(await names()).toBe("a b");
  await end(b);
  expect(await names()).toBe("a b");
});

it("nothing is lent while the scheduler is paused", async () => {
  const { names, trigger, call, scheduler } = await start(1);
  const a = await trigger("a");
  await scheduler.pause({});
  await call(a, "b");
  expect(await names()).toBe("a");
  await scheduler.resume({});
  await call(a, "c");
  expect(await names()).toBe("a b");
});

const DEPTH = 3;

it("runs that wait for all they called come to an end, and never take more places than there are", async () => {
  const scenario = fc.record({
    scale: fc.integer({ min: 1, max: 3 }),
    roots: fc.integer({ min: 1, max: 4 }),
    /** How many calls each run makes, in the order in which they start; and whether it waits for them. */
    plans: fc.infiniteStream(
      fc.record({ calls: fc.integer({ min: 0, max: 2 }), waits: fc.boolean() }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ scale, roots, plans }) => {
      const { world, scheduler, end } = await start(scale);
      const agents = ["a", "b", "c", "d"].map((name) => agent(name, { scale: 100 }));
      const live = release(agents, { scale, maxCallDepth: DEPTH });
      world.release = live;
      for (let n = 0; n < roots; n += 1) await scheduler.trigger("a");
      const calls = new Map<string, readonly string[]>();
      const isOver = async (id: string) => (await world.store.get(id))?.state === "finished";
      const step = async (run: Run) => {
        const depth = run.trigger.kind === "call" ? run.trigger.depth : 0;
        const plan = calls.get(run.id) ? undefined : plans.next().value;
        if (plan) {
          const target = "bcd"[depth] ?? "";
          const wanted = Array.from({ length: depth < DEPTH ? plan.calls : 0 }, () =>
            scheduler.call(run, { target, context: null }),
          );
          const made = await Promise.all(wanted);
          calls.set(run.id, plan.waits ? made.map(({ id }) => id) : []);
        }
        const waitsFor = await Promise.all((calls.get(run.id) ?? []).map(isOver));
        if (waitsFor.every(Boolean)) await end(run.id);
      };
      for (let rounds = 0; (await world.store.unfinished()).length > 0; rounds += 1) {
        expect(rounds).toBeLessThan(200);
        await world.clock.advance(10);
        const standing = await standingHolds(world.holds);
        const { active, places } = await situationOf(world.store, { release: live, standing });
        expect(places.taken).toBeLessThanOrEqual(scale);
        expect(active.length).toBeLessThanOrEqual(scale * (1 + DEPTH));
        for (const run of active) if (run.state === "running") await step(run);
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);
