import fc from "fast-check";
import { expect, it } from "vitest";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { agent, createWorld, release } from "./harness.ts";
import { mortal } from "./mortal.ts";

const scenario = fc.record({
  deaths: fc.array(fc.record({ call: fc.integer({ min: 1, max: 40 }), after: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  }),
  targets: fc.array(fc.constantFrom("b", "c"), { minLength: 1, maxLength: 4 }),
});

it("a call that is sent until it is answered makes one run, whenever the scheduler is killed", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ deaths, targets }) => {
      const store = createRunStore(openDatabase(":memory:", RUN_MIGRATIONS));
      const world = createWorld({ store });
      world.release = release(["a", "b", "c"].map((name) => agent(name)));
      const made = { id: "0", createdAt: world.clock.now(), reruns: 0 };
      const caller = {
        ...made,
        agent: "a",
        trigger: { kind: "manual" },
        state: "running",
      } as const;
      const unanswered = targets.map((target, n) => ({ target, context: n, requestId: `${n}` }));
      const answered: string[] = [];
      const live = async (scheduler: ReturnType<typeof world.open>) => {
        await scheduler.start();
        for (let request = unanswered[0]; request; request = unanswered[0]) {
          answered.push((await scheduler.call(caller, request)).id);
          unanswered.shift();
        }
      };
      for (const death of deaths) {
        const dying = mortal(death);
        const life = live(world.open({ runner: dying(world.engine), store: dying(store) }));
        life.catch(() => undefined);
        await world.clock.advance(2500);
      }
      const last = world.open();
      await live(last);
      await world.clock.advance(120_000);
      await last.stop();
      const runs = await store.list({ limit: 1000 });
      expect(runs.map(({ id }) => id).toSorted()).toEqual(answered.toSorted());
      expect(runs.map(({ outcome }) => outcome)).toEqual(targets.map(() => "completed"));
      expect(world.engine.starts.toSorted()).toEqual(answered.toSorted());
    }),
    { numRuns: 100 },
  );
}, 60_000);
