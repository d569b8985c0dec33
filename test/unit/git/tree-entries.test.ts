import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { openRepository } from "../../../src/git/open-repository.ts";
import { parseTree, pathProblem, TREE_LIMITS } from "../../../src/git/tree-entries.ts";
import { checkout, commit, git } from "./git-fixture.ts";

const ID = "0123456789012345678901234567890123456789";

function listing(...records: (string | Buffer)[]): Buffer {
  return Buffer.concat(records.map((each) => Buffer.concat([Buffer.from(each), Buffer.of(0)])));
}

function file(path: string, size = 1, mode = "100644"): string {
  return `${mode} blob ${ID} ${String(size).padStart(7)}\t${path}`;
}

test("every refused entry is reported at once, each with its path and reason", () => {
  const records = listing(
    file("ok.txt"),
    file("link", 3, "120000"),
    `160000 commit ${ID}       -\tvendor`,
    file("a/../../etc/passwd"),
    file("/etc/passwd"),
    file("dir\\file"),
    file("bell\u0007"),
    file("right-to-left\u202etxt"),
    file("x/.GIT/config"),
    file(`${"n".repeat(256)}.txt`),
    file(`${"d/".repeat(32)}deep`),
    file("big.bin", TREE_LIMITS.fileBytes + 1),
    file("Readme.md"),
    file("README.md"),
    Buffer.concat([Buffer.from(`100644 blob ${ID}       1\t`), Buffer.of(0xff, 0xfe)]),
  );
  const { entries, refused } = parseTree(records, "commit abc");
  expect(entries.map(({ path }) => path)).toEqual(["Readme.md", "README.md", "ok.txt"].sort());
  const message = refused
    .map(({ path, reason }) => `${JSON.stringify(path)}: ${reason}`)
    .join("\n");
  for (const expected of [
    '"link": it is a symbolic link',
    '"vendor": it is a submodule',
    '"a/../../etc/passwd": it is not a plain relative path',
    '"/etc/passwd": it is not a plain relative path',
    '"dir\\\\file": its name has a backslash',
    '"bell\\u0007": its name has control characters',
    "its name has control characters",
    '"x/.GIT/config": it looks like git\'s own',
    "longer than 255 bytes",
    "more than 32 levels deep",
    '"big.bin": 10000001 bytes',
    '"README.md": differs from "Readme.md" only in case',
    "its name is not UTF-8",
  ]) {
    expect(message).toContain(expected);
  }
  expect(message).not.toContain("ok.txt");
});

test("directories that differ only in case collide, and so do composed and decomposed letters", () => {
  const cased = listing(file("Dev/a"), file("dev/b"));
  expect(parseTree(cased, "c").refused).toEqual([
    { path: "dev", reason: 'differs from "Dev" only in case' },
  ]);
  const composed = listing(file("caf\u00e9"), file("cafe\u0301"));
  expect(parseTree(composed, "c").refused).toHaveLength(1);
});

test("too many files and too many bytes are refused", () => {
  const many = listing(...Array.from({ length: TREE_LIMITS.files + 1 }, (_, n) => file(`f${n}`)));
  expect(() => parseTree(many, "c")).toThrow("10001 files; at most 10000");
  const large = Array.from({ length: 21 }, (_, n) => file(`f${n}`, TREE_LIMITS.fileBytes));
  expect(() => parseTree(listing(...large), "c")).toThrow("210000000 bytes in all");
});

test("whatever a tree holds, an accepted path stays below the directory it is joined to", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary", minLength: 0, maxLength: 8 }),
    fc.constantFrom("..", ".", "", ".git", ".GIT ", "a", "A", "\\", "\u0000", "\n", "git~1"),
  );
  const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));
  fc.assert(
    fc.property(path, (name) => {
      if (pathProblem(name) !== undefined) return;
      expect(join("/base", name)).toBe(`/base/${name}`);
      expect(name).not.toMatch(/[\p{Cc}\\]/u);
      expect(name.toLowerCase().split("/")).not.toContain(".git");
    }),
    { numRuns: 2000 },
  );
});

test("whatever bytes git may print, parsing gives entries or a list of refusals", () => {
  const record = fc.oneof(
    fc
      .uint8Array({ maxLength: 60 })
      .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0))),
    fc.string().map((name) => Buffer.from(file(name.replaceAll("\0", "")))),
  );
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), (records) => {
      const { entries, refused } = parseTree(listing(...records), "c");
      for (const { path } of entries) expect(pathProblem(path)).toBeUndefined();
      expect(entries.length + refused.length).toBeGreaterThanOrEqual(records.length);
    }),
    { numRuns: 500 },
  );
});

test("a symbolic link and a submodule in a real repository are refused", async () => {
  const work = checkout({ "a.txt": "1" });
  symlinkSync("/etc/passwd", join(work, "link"));
  commit(work);
  git(work, "update-index", "--add", "--cacheinfo", `160000,${ID},vendor`);
  git(work, "commit", "--quiet", "-m", "submodule");
  expect((await treeOfHead(work)).refused).toEqual([
    { path: "link", reason: "it is a symbolic link" },
    { path: "vendor", reason: "it is a submodule" },
  ]);
});

test("a path that leaves the tree, made with plumbing, is refused", async () => {
  const work = checkout({ "a.txt": "1" });
  const blob = git(work, "rev-parse", "HEAD:a.txt");
  const input = `100644 blob ${blob}\t..\n`;
  const options = { cwd: work, input, encoding: "utf8" } as const;
  const tree = execFileSync("git", ["mktree"], options).trim();
  git(work, "update-ref", "HEAD", git(work, "commit-tree", "-m", "x", tree));
  expect((await treeOfHead(work)).refused).toEqual([
    { path: "..", reason: "it is not a plain relative path" },
  ]);
});

async function treeOfHead(directory: string) {
  const repository = await openRepository(directory);
  onTestFinished(() => repository.close());
  return await repository.tree(await repository.resolve());
}
