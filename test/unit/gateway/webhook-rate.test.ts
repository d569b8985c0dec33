import fc from "fast-check";
import { expect, test } from "vitest";
import { createRateLimits } from "../../../src/gateway/webhook-rate.ts";
import { SimulatedClock } from "../schedule/simulated-clock.ts";

const MINUTE_MS = 60_000;

test("never lets through more than a minute's worth and what the time since then gives", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.nat(MINUTE_MS), { maxLength: 200 }),
      (perMinute, pauses) => {
        let now = 0;
        const limits = createRateLimits({ now: () => now, sleep: async () => undefined });
        let taken = 0;
        for (const pause of pauses) {
          now += pause;
          if (limits.take("a", perMinute) === 0) taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(perMinute * (1 + now / MINUTE_MS) + 1e-6);
      },
    ),
  );
});

test("lets through what waits as long as it was told", async () => {
  const clock = new SimulatedClock();
  const limits = createRateLimits(clock);
  for (const perMinute of [1, 7, 600]) {
    const name = `of ${perMinute}`;
    for (let n = 0; n < perMinute; n += 1) expect(limits.take(name, perMinute)).toBe(0);
    for (let n = 0; n < 20; n += 1) {
      const waitMs = limits.take(name, perMinute);
      expect(waitMs).toBeGreaterThan(0);
      await clock.advance(waitMs);
      expect(limits.take(name, perMinute)).toBe(0);
    }
  }
});

test("stays the same when the clock is put back, and names do not share", () => {
  let now = 10 * MINUTE_MS;
  const limits = createRateLimits({ now: () => now, sleep: async () => undefined });
  for (let n = 0; n < 2; n += 1) expect(limits.take("a", 2)).toBe(0);
  now -= 5 * MINUTE_MS;
  expect(limits.take("a", 2)).toBe(30_000);
  expect(limits.take("b", 2)).toBe(0);
  now += 30_000;
  expect(limits.take("a", 2)).toBe(0);
});

test("whoever only asks takes nothing", () => {
  const limits = createRateLimits({ now: () => 0, sleep: async () => undefined });
  for (let n = 0; n < 10; n += 1) expect(limits.waitMs("a", 1)).toBe(0);
  expect(limits.take("a", 1)).toBe(0);
  expect(limits.waitMs("a", 1)).toBe(MINUTE_MS);
  expect(limits.take("a", 1)).toBe(MINUTE_MS);
});

test("of too many names those are forgotten that were asked for longest ago", () => {
  const limits = createRateLimits({ now: () => 0, sleep: async () => undefined });
  for (const name of ["first", "kept"]) expect(limits.take(name, 1)).toBe(0);
  for (let n = 0; n < 9_999; n += 1) limits.take(`other ${n}`, 1);
  expect(limits.waitMs("kept", 1)).toBeGreaterThan(0);
  expect(limits.waitMs("first", 1)).toBe(0);
});
