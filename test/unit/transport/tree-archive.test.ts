import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { archiveTree, type TreeEntry } from "../../../src/transport/tree-archive.ts";

const file = (path: string, mode = 0o600): TreeEntry => ({
  path,
  mode,
  content: Buffer.from(path),
});

test("equal trees give equal bytes", async () => {
  const entries = [file("a"), file("b/c", 0o755), file(`${"x".repeat(150)}/y`)];
  expect(await buffer(archiveTree(entries))).toEqual(await buffer(archiveTree(entries)));
});

test("paths that leave the tree or are not plain are refused", () => {
  for (const path of [
    "",
    ".",
    "..",
    "../x",
    "/x",
    "a/../../x",
    "a/./b",
    "a//b",
    "a/",
    "a\0b",
    "./a",
  ]) {
    expect(() => archiveTree([file(path)])).toThrow(
      expect.objectContaining({ code: "path-invalid" }),
    );
  }
});

test("a tree that contradicts itself is refused", () => {
  const contradictions = [
    [file("a"), file("a")],
    [file("a"), file("a/b")],
    [file("a", 0o1777)],
    [file("a", -1)],
  ];
  for (const entries of contradictions) {
    expect(() => archiveTree(entries)).toThrow(expect.objectContaining({ code: "tree-invalid" }));
  }
});
