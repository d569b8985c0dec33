import { afterEach, expect, test, vi } from "vitest";
import { steadyClock, systemClock } from "../../../src/base/clock.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("a steady clock shows the machine's time, and goes on from there whatever that is set to", async () => {
  const steady = steadyClock();
  const before = steady.now();
  expect(Math.abs(before - systemClock.now())).toBeLessThan(1000);
  expect(Number.isInteger(before)).toBe(true);
  const real = Date.now.bind(Date);
  vi.spyOn(Date, "now").mockImplementation(() => real() - 3_600_000);
  await steady.sleep(50);
  expect(systemClock.now()).toBeLessThan(before);
  expect(steady.now() - before).toBeGreaterThanOrEqual(45);
  expect(steady.now() - before).toBeLessThan(30_000);
});
