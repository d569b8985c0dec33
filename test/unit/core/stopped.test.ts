import { expect, it } from "vitest";
import { holdText } from "../../../src/core/hold.ts";
import { parseStopped } from "../../../src/core/stopped.ts";

it("says since when a host is stopped, and by whom", () => {
  const stopped = parseStopped(`{"since":1767225600000,"by":"ann@laptop","drained":true}`);
  expect(stopped).toEqual({ since: 1767225600000, by: "ann@laptop", drained: true });
  expect(parseStopped(undefined)).toBeUndefined();
});

it.each([
  ["", 0],
  ["{", 0],
  [`{"since":-1}`, 0],
  [`{"since":"today"}`, 0],
  [`{"since":8640000000000000}`, 8_640_000_000_000_000],
  [`{"since":8640000000000001}`, 0],
  [`{"since":9007199254740991}`, 0],
])("stops the host whatever its file says, since a time that can be told: %s", (text, since) => {
  const stopped = parseStopped(text);
  expect(stopped).toEqual({ since });
  expect(holdText({ since: stopped?.since ?? Number.NaN })).toMatch(/^since /);
});
