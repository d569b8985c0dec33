import { expect, test } from "vitest";
import { imageReference } from "../../../src/core/names.ts";
import { type BuiltImage, supersededImages } from "../../../src/core/superseded-images.ts";

const hash = "0123456789abcdef".repeat(4);
const old = imageReference("acme", "agent-dev", hash);
const image: BuiltImage = {
  ...{ reference: old, id: "sha256:1", project: "acme", specHash: hash, namedAtMs: 1_000 },
};
const nothing = new Set<string>();
const uses = { project: "acme", wanted: nothing, inContainers: nothing, keptSinceMs: 2_000 };

test("an old image of ours that nobody needs may go, once", () => {
  expect(supersededImages([image], uses)).toEqual([old]);
});

test.each<[string, Partial<BuiltImage>, Partial<typeof uses>]>([
  ["is wanted", {}, { wanted: new Set([old]) }],
  ["is in a container by its id", {}, { inContainers: new Set(["sha256:1"]) }],
  ["is in a container by its name", {}, { inContainers: new Set([old]) }],
  ["is young", { namedAtMs: 2_000 }, {}],
  ["is of unknown age", { namedAtMs: 0 }, {}],
  ["is another project's", { project: "other" }, {}],
  ["has no label of a project", { project: undefined }, {}],
  ["has no spec hash", { specHash: undefined }, {}],
  ["inherited its labels", { reference: "acme/own:1" }, {}],
  ["has a tag of somebody's own", { reference: "al-acme/agent-dev:latest" }, {}],
  [
    "is named like one of another project",
    { reference: imageReference("other", "base", hash) },
    {},
  ],
  ["has the spec hash of another", { specHash: "f".repeat(64) }, {}],
])("an image stays that %s", (_why, own, other) => {
  expect(supersededImages([{ ...image, ...own }], { ...uses, ...other })).toEqual([]);
});
