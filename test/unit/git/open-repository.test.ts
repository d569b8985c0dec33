import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openRepository } from "../../../src/git/open-repository.ts";
import { bareOf, checkout, commit, git, temporaryDirectory, writeFiles } from "./git-fixture.ts";

async function opened(directory: string) {
  const repository = await openRepository(directory);
  onTestFinished(() => repository.close());
  return repository;
}

test("a checkout and a bare repository give the same tree", async () => {
  const work = checkout({ "config.toml": "scale = 1\n" });
  const bare = bareOf(work);
  for (const directory of [work, bare]) {
    const repository = await opened(directory);
    const tree = await repository.tree(await repository.resolve());
    expect(tree.entries.map(({ path }) => path)).toEqual(["config.toml"]);
    expect(Buffer.from(await tree.read("config.toml")).toString()).toBe("scale = 1\n");
  }
});

test("a project in a subdirectory sees its own files only", async () => {
  const work = checkout({
    "README.md": "top",
    "fleet/dev/ACTIONS.md": "x",
    "fleet/config.toml": "",
  });
  const repository = await opened(join(work, "fleet"));
  const tree = await repository.tree(await repository.resolve());
  expect(tree.entries.map(({ path }) => path)).toEqual(["config.toml", "dev/ACTIONS.md"]);
});

test("branches, tags and short ids name commits; uncommitted changes do not count", async () => {
  const work = checkout({ "a.txt": "1" });
  const first = git(work, "rev-parse", "HEAD");
  git(work, "tag", "v1");
  writeFiles(work, { "a.txt": "2" });
  const second = commit(work);
  writeFiles(work, { "a.txt": "3" });
  const repository = await opened(work);
  expect(await repository.resolve("v1")).toBe(first);
  expect(await repository.resolve(first.slice(0, 8))).toBe(first);
  expect(await repository.resolve("main")).toBe(second);
  const tree = await repository.tree(await repository.resolve());
  expect(Buffer.from(await tree.read("a.txt")).toString()).toBe("2");
});

test("a directory in no repository is an error that names the next command", async () => {
  const directory = temporaryDirectory();
  await expect(openRepository(directory)).rejects.toMatchObject({
    code: "not-a-repository",
    hint: expect.stringContaining(`git init ${directory}`),
  });
});

test("a directory that does not exist is an error of the user", async () => {
  const missing = join(temporaryDirectory(), "missing");
  await expect(openRepository(missing)).rejects.toMatchObject({
    code: "not-a-repository",
    blame: "user",
  });
});

test("a repository without commits and an unknown revision say what to do", async () => {
  const directory = temporaryDirectory();
  git(directory, "init", "--quiet");
  const repository = await opened(directory);
  await expect(repository.resolve()).rejects.toMatchObject({ code: "unknown-revision" });
  await expect(repository.resolve("--output=x")).rejects.toMatchObject({
    code: "unknown-revision",
  });
});

test("a directory that was never committed is reported, not read as empty", async () => {
  const work = checkout({ "a.txt": "1" });
  mkdirSync(join(work, "new"));
  const repository = await opened(join(work, "new"));
  const reading = repository.resolve().then((id) => repository.tree(id));
  await expect(reading).rejects.toMatchObject({ code: "unknown-commit", blame: "user" });
});
