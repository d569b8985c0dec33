import { symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openWorkingTree } from "../../../src/git/working-tree.ts";
import { checkout, git, temporaryDirectory, writeFiles } from "./git-fixture.ts";

const pathsIn = async (directory: string) =>
  (await openWorkingTree(directory).look()).entries.map(({ path }) => path);

test("in a checkout it is what git would commit: new files too, ignored and deleted ones not", async () => {
  const directory = checkout({ "a.txt": "a", "gone.txt": "g", ".gitignore": "*.log\n" });
  writeFiles(directory, { "new/b.sh*": "b", "x.log": "x", "node_modules/m.js": "m" });
  unlinkSync(join(directory, "gone.txt"));
  const tree = await openWorkingTree(directory).look();
  expect(tree.entries).toEqual([
    { path: ".gitignore", size: 6, executable: false },
    { path: "a.txt", size: 1, executable: false },
    { path: "new/b.sh", size: 1, executable: true },
  ]);
  expect(Buffer.from(await tree.read("new/b.sh")).toString()).toBe("b");
});

test("below a checkout's top it is that directory alone", async () => {
  const directory = checkout({ "a.txt": "a", "below/b.txt": "b" });
  expect(await pathsIn(join(directory, "below"))).toEqual(["b.txt"]);
});

test("without git it is every file but packages and what editors leave", async () => {
  const directory = temporaryDirectory();
  writeFiles(directory, { "d/a.txt": "a", "d/.a.txt.swp": "", "d/a.txt~": "", ".env.toml": "" });
  writeFiles(directory, { "node_modules/m.js": "m", ".git/nothing": "" });
  symlinkSync("me@here.1:2", join(directory, "d/.#a.txt"));
  expect(await pathsIn(directory)).toEqual([".env.toml", "d/a.txt"]);
  const tree = await openWorkingTree(directory, { without: [".env.toml"] }).look();
  expect(tree.entries).toHaveLength(1);
});

test("its revision is its content's: the same again for the same bytes, another for others", async () => {
  const [one, two] = [temporaryDirectory(), temporaryDirectory()];
  for (const directory of [one, two]) writeFiles(directory, { "b.txt": "b", "a/a.txt": "a" });
  const reader = openWorkingTree(one);
  const { revision } = await reader.look();
  expect(revision).toMatch(/^tree-[0-9a-f]{64}$/);
  expect((await openWorkingTree(two).look()).revision).toBe(revision);
  writeFileSync(join(one, "b.txt"), "c");
  expect((await reader.look()).revision).not.toBe(revision);
  writeFileSync(join(one, "b.txt"), "b");
  expect((await reader.look()).revision).toBe(revision);
});

test("all that a commit may not hold is refused, with every path", async () => {
  const directory = checkout({ "a.txt": "a" });
  symlinkSync("/etc/passwd", join(directory, "link"));
  writeFiles(directory, { "b\\c": "", "A.txt": "", "big.bin": Buffer.alloc(10_000_001) });
  writeFiles(directory, { "inner/x": "x" });
  git(join(directory, "inner"), "init", "--quiet");
  const { entries, refused, revision } = await openWorkingTree(directory).look();
  expect(refused.map(({ path, reason }) => `${path}: ${reason}`).sort()).toEqual([
    'a.txt: differs from "A.txt" only in case',
    "b\\c: its name has a backslash",
    "big.bin: 10000001 bytes; a file may have 10000000",
    "inner/: it is a repository of its own",
    "link: it is a symbolic link",
  ]);
  expect(entries.map(({ path }) => path)).toEqual(["A.txt", "a.txt"]);
  unlinkSync(join(directory, "link"));
  expect((await openWorkingTree(directory).look()).revision).not.toBe(revision);
});

test("a file that changes between a look and its reading is not taken for what was seen", async () => {
  const directory = temporaryDirectory();
  writeFiles(directory, { "a.txt": "a" });
  const tree = await openWorkingTree(directory).look();
  writeFileSync(join(directory, "a.txt"), "b");
  await expect(tree.read("a.txt")).rejects.toMatchObject({ code: "tree-changed" });
  unlinkSync(join(directory, "a.txt"));
  await expect(tree.read("a.txt")).rejects.toMatchObject({ code: "tree-changed" });
});
