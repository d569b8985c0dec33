import { expect, test } from "vitest";
import { parseSince } from "../../../src/cli/since.ts";

const now = Date.parse("2026-02-01T12:00:00Z");

test.each([
  ["90s", 90_000],
  ["10m", 600_000],
  ["1h30m", 5_400_000],
  ["2d", 172_800_000],
  ["1w", 604_800_000],
])("%s is so long ago", (text, ms) => expect(parseSince(text, now)).toBe(now - ms));

test("a time is taken with its zone, else as this machine's", () => {
  expect(parseSince("2026-01-31T08:00Z", now)).toBe(Date.parse("2026-01-31T08:00:00Z"));
  expect(parseSince("2026-01-31 08:00:01.5+02:00", now)).toBe(
    Date.parse("2026-01-31T06:00:01.500Z"),
  );
  expect(parseSince("2026-01-31T08:00", now)).toBe(new Date(2026, 0, 31, 8).getTime());
  expect(parseSince("2026-01-31", now)).toBe(new Date(2026, 0, 31).getTime());
});

test.each(["", "10", "m", "10 minutes", "-5m", "2026-13-01", "yesterday", "2026-01-31T25:00"])(
  "%j is no time",
  (text) => expect(parseSince(text, now)).toBeUndefined(),
);
