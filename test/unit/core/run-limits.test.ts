import { expect, test } from "vitest";
import {
  dayOf,
  mostUsage,
  overDayLimit,
  overRunLimit,
  startOfDay,
} from "../../../src/core/run-limits.ts";

const none = {
  ...{ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
  ...{ totalTokens: 0, cost: 0, turnCount: 0 },
};

test("a run may use as much as its limit, and not more", () => {
  const limits = { maxTokensPerRun: 100, maxCostPerRun: 0.5, maxTurns: 2 };
  const most = { ...none, totalTokens: 100, cost: 0.5, turnCount: 2 };
  expect(overRunLimit(limits, most)).toBeUndefined();
  expect(overRunLimit({}, { ...most, totalTokens: 1e9 })).toBeUndefined();
  expect(overRunLimit(limits)).toBeUndefined();
  expect(overRunLimit(limits, { ...most, totalTokens: 101 })).toBe(
    "it used 101 tokens; maxTokensPerRun is 100",
  );
  expect(overRunLimit(limits, { ...most, cost: 0.51 })).toBe(
    "it cost $0.5100; maxCostPerRun is 0.5",
  );
  expect(overRunLimit(limits, { ...most, turnCount: 3 })).toBe("it took 3 turns; maxTurns is 2");
});

test("a day has room for as many runs as its limit, and for one more run while there is money", () => {
  const limits = { maxRunsPerDay: 2, maxCostPerDay: 1 };
  expect(overDayLimit(limits, { runs: 1, cost: 0.99 })).toBeUndefined();
  expect(overDayLimit(limits, { runs: 2, cost: 0 })).toBe(
    "it has 2 runs today; maxRunsPerDay is 2",
  );
  expect(overDayLimit(limits, { runs: 1, cost: 1 })).toBe(
    "its runs cost $1.0000 today; maxCostPerDay is 1",
  );
});

test("what was used does not get less, whatever a later line says", () => {
  const before = { ...none, totalTokens: 50, cost: 2 };
  expect(mostUsage(before, { ...none, turnCount: 3 })).toEqual({ ...before, turnCount: 3 });
});

test("a day is that of the timezone, summer time included", () => {
  const time = Date.parse("2026-03-29T22:30:00Z");
  expect(dayOf(time)).toBe("2026-03-29");
  expect(dayOf(time, "Europe/Berlin")).toBe("2026-03-30");
  expect(dayOf(time, "America/New_York")).toBe("2026-03-29");
});

test.each([
  ["2026-03-29T22:30:00Z", "UTC", "2026-03-29T00:00:00.000Z"],
  ["2026-03-29T21:30:00Z", "Europe/Berlin", "2026-03-28T23:00:00.000Z"],
  ["2026-10-25T22:59:59Z", "Europe/Berlin", "2026-10-24T22:00:00.000Z"],
  ["2026-10-25T23:00:00Z", "Europe/Berlin", "2026-10-25T23:00:00.000Z"],
  ["2026-01-01T00:00:00Z", "Asia/Kolkata", "2025-12-31T18:30:00.000Z"],
])("the day of %s in %s began at %s", (time, timezone, expected) => {
  expect(new Date(startOfDay(Date.parse(time), timezone)).toISOString()).toBe(expected);
});
