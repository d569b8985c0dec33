import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { remoteAddress, repositoryAddress } from "../../../src/git/repository-address.ts";
import { hasUncommittedChanges } from "../../../src/git/uncommitted.ts";
import { bareOf, checkout, git, temporaryDirectory, writeFiles } from "./git-fixture.ts";

test("changed and new files are uncommitted changes, and a bare repository has none", async () => {
  const work = checkout({ "a.txt": "1" });
  expect(await hasUncommittedChanges(work)).toBe(false);
  expect(await hasUncommittedChanges(bareOf(work))).toBe(false);
  writeFiles(work, { "b.txt": "new" });
  expect(await hasUncommittedChanges(work)).toBe(true);
});

test("a repository, its clone and a link to it have one address", async () => {
  const work = checkout({ "a.txt": "1" });
  const bare = bareOf(work);
  git(work, "remote", "set-url", "origin", bare);
  const link = join(temporaryDirectory(), "link.git");
  symlinkSync(bare, link);
  expect(await repositoryAddress({ gitDir: join(work, ".git") })).toBe(bare);
  expect(await repositoryAddress({ gitDir: bare })).toBe(bare);
  expect(await remoteAddress(link)).toBe(bare);
  expect(await remoteAddress(`file://${bare}`)).toBe(bare);
});

test("an origin that could not be fetched is an address all the same", async () => {
  expect(await remoteAddress("http://example.com/x.git")).toBe("http://example.com/x.git");
  expect(await remoteAddress("../elsewhere")).toBe("../elsewhere");
});
