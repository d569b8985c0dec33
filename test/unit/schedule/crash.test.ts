import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import type { RunnerPort, RunStore } from "../../../src/schedule/ports.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { agent, createWorld, release } from "./harness.ts";
import { createMemoryRunStore } from "./memory-run-store.ts";
import { type Death, mortal } from "./mortal.ts";
import type { SimulatedEngine } from "./simulated-engine.ts";

const scenario = fc.record({
  deaths: fc.array(fc.record({ call: fc.integer({ min: 1, max: 40 }), after: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  }),
  triggers: fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 5 }),
  exits: fc.array(fc.constantFrom(0, 1, 42), { maxLength: 4 }),
});

const stores: [string, () => RunStore][] = [
  ["memory", createMemoryRunStore],
  ["SQLite", () => createRunStore(openDatabase(":memory:", RUN_MIGRATIONS))],
];

describe.each(stores)("with runs in %s, a scheduler killed at any call", (_name, open) => {
  it("loses no accepted trigger and starts none twice", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ deaths, triggers, exits }) => {
        const { accepted, world } = await survive({ deaths, triggers, exits, store: open() });
        const runs = await world.store.list({ limit: 1000 });
        const ids = runs.map(({ id }) => id);
        for (const id of accepted) expect(ids).toContain(id);
        for (const run of runs) {
          expect(["completed", "failed", "rerun"]).toContain(run.outcome);
          expect(world.engine.starts.filter((id) => id === run.id)).toHaveLength(1);
          const reruns = runs.filter(({ rerunOf }) => rerunOf === run.id);
          expect(reruns).toHaveLength(run.outcome === "rerun" ? 1 : 0);
        }
        expect(world.engine.containers.size).toBe(0);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it("starts nothing while paused, and all of it once afterwards", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ deaths, triggers }) => {
        const world = createWorld({ store: open() });
        world.release = release([agent("a"), agent("b", { scale: 2 })]);
        const runner = refusing(world.engine);
        const first = world.open({ runner });
        await first.start();
        for (const name of triggers) await first.trigger(name);
        await world.clock.advance(200);
        // What is being made has to go back; it may not start.
        await first.pause({});
        await first.stop();
        for (const death of deaths) {
          const process = mortal(death);
          const [store, holds] = [process(world.store), process(world.holds)];
          const scheduler = world.open({ runner: process(world.engine), store, holds });
          scheduler.start().catch(() => undefined);
          await world.clock.advance(2500);
        }
        expect(world.engine.starts).toEqual([]);
        const last = world.open();
        await last.start();
        await world.clock.advance(1000);
        expect([world.engine.starts, world.engine.containers.size]).toEqual([[], 0]);
        await last.resume({});
        await world.clock.advance(60_000);
        expect(new Set(world.engine.starts).size).toBe(triggers.length);
        expect(world.engine.starts).toHaveLength(triggers.length);
        await last.stop();
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});

/** An engine that makes containers and cannot start them yet. */
function refusing(engine: SimulatedEngine): RunnerPort {
  const busy = new AlError("busy", { code: "docker-failed", blame: "transient" });
  return new Proxy<RunnerPort>(engine, {
    get(target, name) {
      if (name === "start") return () => Promise.reject(busy);
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function survive(options: {
  deaths: readonly Death[];
  triggers: readonly string[];
  exits: readonly number[];
  store: RunStore;
}) {
  const world = createWorld({ store: options.store });
  world.release = release([agent("a"), agent("b", { scale: 2 })], { scale: 2 });
  const exits = [...options.exits];
  world.engine.behaviour = () => ({ ms: 1000, code: exits.shift() ?? 0 });
  const accepted: string[] = [];
  const triggers = [...options.triggers];
  for (const death of options.deaths) {
    const process = mortal(death);
    const runner = process(world.engine);
    const scheduler = world.open({ runner, store: process(world.store) });
    const life = (async () => {
      await scheduler.start();
      for (let name = triggers.shift(); name !== undefined; name = triggers.shift()) {
        accepted.push((await scheduler.trigger(name)).id);
      }
    })();
    life.catch(() => undefined);
    await world.clock.advance(2500);
  }
  const last = world.open();
  await last.start();
  for (const name of triggers) accepted.push((await last.trigger(name)).id);
  await world.clock.advance(120_000);
  await last.stop();
  return { accepted, world };
}
