import fc from "fast-check";
import { expect, test } from "vitest";
import { missingLayers, presentLayers } from "../../../src/docker/missing-layers.ts";

test.each([
  { image: ["a", "b", "c"], host: [], present: 0 },
  { image: ["a", "b", "c"], host: [["a", "b"]], present: 2 },
  { image: ["a", "b", "c"], host: [["a", "b", "c", "d"]], present: 3 },
  { image: ["a", "b", "c"], host: [["a"], ["x", "b", "c"], ["a", "b", "y"]], present: 2 },
  { image: ["a", "b"], host: [["b", "a"]], present: 0 },
  { image: [], host: [["a"]], present: 0 },
])("of $image a host with $host has the lowest $present", ({ image, host, present }) => {
  expect(presentLayers(image, host)).toBe(present);
});

test("a layer the image repeats is sent once, in the order of its first use", () => {
  const layers = ["a", "e", "b", "e"].map((diffId) => ({ diffId }));
  expect(missingLayers(layers, 1)).toEqual([{ diffId: "e" }, { diffId: "b" }]);
});

test("what is present and what is missing make the whole image", () => {
  const ids = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 6 });
  fc.assert(
    fc.property(ids, fc.array(ids, { maxLength: 5 }), (image, host) => {
      const present = presentLayers(image, host);
      const sent = missingLayers(
        image.map((diffId) => ({ diffId })),
        present,
      );
      const known = new Set([...image.slice(0, present), ...sent.map(({ diffId }) => diffId)]);
      expect(image.every((diffId) => known.has(diffId))).toBe(true);
      expect(present === 0 || host.some((other) => startsWith(other, image, present))).toBe(true);
    }),
  );
});

function startsWith(other: readonly string[], image: readonly string[], length: number): boolean {
  return image.slice(0, length).every((diffId, index) => other[index] === diffId);
}
