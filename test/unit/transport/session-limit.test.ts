import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSessionLimit } from "../../../src/transport/session-limit.ts";

const never = new AbortController().signal;

test("places are given out in the order of asking", async () => {
  const limit = createSessionLimit(2);
  const order: number[] = [];
  const tasks = Array.from({ length: 8 }, async (_, n) => {
    const release = await limit.acquire(never);
    order.push(n);
    await delay(1);
    release();
  });
  await Promise.all(tasks);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("giving a place back twice frees it once", async () => {
  const limit = createSessionLimit(1);
  const release = await limit.acquire(never);
  release();
  release();
  await limit.acquire(never);
  expect(await Promise.race([limit.acquire(never), delay(10, "waits")])).toBe("waits");
});

test("a waiter that is aborted rejects with the reason and takes no place", async () => {
  const limit = createSessionLimit(1);
  const release = await limit.acquire(never);
  const controller = new AbortController();
  const impatient = limit.acquire(controller.signal);
  const patient = limit.acquire(never);
  controller.abort(new Error("no time"));
  await expect(impatient).rejects.toThrow("no time");
  release();
  await patient;
});

test("however tasks begin, end and give up, no more than the limit run, and none is forgotten", async () => {
  const task = fc.record({ worksMs: fc.nat(3), patienceMs: fc.option(fc.nat(4)) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(task, { maxLength: 25 }),
      fc.integer({ min: 1, max: 4 }),
      async (tasks, places) => {
        const limit = createSessionLimit(places);
        let running = 0;
        const run = async ({ worksMs, patienceMs }: (typeof tasks)[number]) => {
          const signal = patienceMs === null ? never : AbortSignal.timeout(patienceMs);
          const release = await limit.acquire(signal).catch(() => undefined);
          if (!release) return;
          running += 1;
          expect(running).toBeLessThanOrEqual(places);
          await delay(worksMs);
          running -= 1;
          release();
        };
        await Promise.all(tasks.map(run));
        for (let n = 0; n < places; n += 1) await limit.acquire(never);
      },
    ),
    { numRuns: 30 },
  );
});
