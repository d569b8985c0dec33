import { expect, test } from "vitest";
import { differences } from "../../../src/core/release-difference.ts";

test("what is added, removed and changed is listed by path, and what is equal is not", () => {
  const live = new Map(Object.entries({ b: "1", c: "1", d: "1" }));
  const wanted = new Map(Object.entries({ d: "2", a: "1", c: "1" }));
  expect(differences(live, wanted, (a, b) => a === b)).toEqual([
    { path: "a", status: "added" },
    { path: "b", status: "removed" },
    { path: "d", status: "changed" },
  ]);
});
