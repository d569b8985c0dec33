import { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hasCode } from "../../../src/base/errors.ts";
import { mirrorDirectory } from "../../../src/git/mirror.ts";
import { openSource } from "../../../src/git/open-source.ts";
import { bareOf, checkout, commit, git, temporaryDirectory, writeFiles } from "./git-fixture.ts";

async function sourceOf(url: string, branch = "main") {
  const source = await openSource({ url, branch, cacheDir: temporaryDirectory() });
  onTestFinished(() => source.close());
  return source;
}

async function failure(work: Promise<unknown>) {
  return await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

test("a fetched commit's files are read from its objects, byte for byte", async () => {
  const binary = Buffer.from([0, 10, 255, 10, 10]);
  const work = checkout({ "config.toml": "", "dev/tool.sh*": "#!/bin/sh\n", "dev/ä.bin": binary });
  const source = await sourceOf(bareOf(work));
  const { commit: id } = await source.fetch();
  expect(id).toBe(git(work, "rev-parse", "HEAD"));
  const tree = await source.tree(id);
  expect(tree.revision).toBe(id);
  expect(tree.entries.map(({ path, size, executable }) => [path, size, executable])).toEqual([
    ["config.toml", 0, false],
    ["dev/tool.sh", 10, true],
    ["dev/ä.bin", 5, false],
  ]);
  expect(Buffer.from(await tree.read("dev/ä.bin"))).toEqual(binary);
  expect(text(await tree.read("dev/tool.sh"))).toBe("#!/bin/sh\n");
  await expect(tree.read("nope")).rejects.toThrow("not in commit");
});

test("a new push, a forced push and an unchanged branch are all seen by the next fetch", async () => {
  const work = checkout({ "a.txt": "1" });
  const source = await sourceOf(bareOf(work));
  const first = (await source.fetch()).commit;
  expect((await source.fetch()).commit).toBe(first);
  writeFiles(work, { "a.txt": "2" });
  const second = commit(work);
  git(work, "push", "--quiet", "origin", "main");
  expect((await source.fetch()).commit).toBe(second);
  git(work, "reset", "--quiet", "--hard", first);
  writeFiles(work, { "a.txt": "3" });
  const third = commit(work);
  git(work, "push", "--quiet", "--force", "origin", "main");
  expect((await source.fetch()).commit).toBe(third);
  expect(text(await (await source.tree(third)).read("a.txt"))).toBe("3");
  expect(text(await (await source.tree(second)).read("a.txt"))).toBe("2");
});

test("many files are read at the same time through one process", async () => {
  const names = Array.from({ length: 300 }, (_, index) => `f${index}.txt`);
  const files = Object.fromEntries(names.map((name) => [name, name.repeat(200)]));
  const source = await sourceOf(bareOf(checkout(files)));
  const tree = await source.tree((await source.fetch()).commit);
  const contents = await Promise.all(names.map((name) => tree.read(name)));
  expect(contents.map(text)).toEqual(names.map((name) => files[name]));
});

test("locks of a killed git are cleared away and do not stop the next fetch", async () => {
  const work = checkout({ "a.txt": "1" });
  const bare = bareOf(work);
  const cacheDir = temporaryDirectory();
  const first = await openSource({ url: bare, branch: "main", cacheDir });
  await first.fetch();
  await first.close();
  const mirror = mirrorDirectory(cacheDir, bare, "main");
  for (const name of ["shallow.lock", "config.lock", "refs/action-llama/source.lock"]) {
    writeFileSync(join(mirror, name), "");
  }
  writeFiles(work, { "a.txt": "2" });
  const id = commit(work);
  git(work, "push", "--quiet", "origin", "main");
  const again = await openSource({ url: bare, branch: "main", cacheDir });
  onTestFinished(() => again.close());
  writeFileSync(join(mirror, "shallow.lock"), "");
  expect((await again.fetch()).commit).toBe(id);
  expect(readdirSync(mirror).filter((name) => name.endsWith(".lock"))).toEqual([]);
});

test("an aborted fetch fails with the signal's reason and leaves the source usable", async () => {
  const source = await sourceOf(bareOf(checkout({ "a.txt": "1" })));
  const stop = new AbortController();
  const fetching = source.fetch({ signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 3);
  const outcome = await failure(fetching);
  if (outcome !== undefined) expect(outcome).toMatchObject({ message: "enough" });
  expect((await source.fetch()).commit).toMatch(/^[0-9a-f]{40}$/);
});

test("a local repository that another user owns can be fetched", async () => {
  const bare = bareOf(checkout({ "a.txt": "1" }));
  if (process.getuid?.() === 0) chownSync(bare, 12345, 12345);
  const source = await sourceOf(bare);
  expect((await source.fetch()).commit).toMatch(/^[0-9a-f]{40}$/);
});

test("hooks and upload-pack settings of a hostile local repository run nothing", async () => {
  const bare = bareOf(checkout({ "a.txt": "1" }));
  const proof = join(temporaryDirectory(), "proof");
  git(bare, "config", "uploadpack.packObjectsHook", `touch ${proof};`);
  git(bare, "config", "core.fsmonitor", `touch ${proof}`);
  const source = await sourceOf(bare);
  const { commit: id } = await source.fetch();
  await source.tree(id);
  expect(existsSync(proof)).toBe(false);
});

test("a missing branch is the user's to mend, and named", async () => {
  const source = await sourceOf(bareOf(checkout({ "a.txt": "1" })), "release");
  const thrown = await failure(source.fetch());
  expect(hasCode(thrown, "branch-not-found")).toBe(true);
  expect(String(thrown)).toContain("branch release has no such branch");
});

test("a directory that is no repository is the user's to mend", async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "empty"));
  const thrown = await failure((await sourceOf(join(directory, "empty"))).fetch());
  expect(thrown).toMatchObject({ code: "remote-not-found", blame: "user" });
});

test("a remote that cannot be reached is transient, and its password stays out of the message", async () => {
  const source = await sourceOf("https://me:hunter2@127.0.0.1:1/repo.git");
  const thrown = await failure(source.fetch());
  expect(thrown).toMatchObject({ code: "remote-unreachable", blame: "transient" });
  expect(String(thrown)).not.toContain("hunter2");
  expect(String(thrown)).toContain("https://***@127.0.0.1:1/repo.git");
});

test.each([
  "ext::sh -c whoami",
  "--upload-pack=touch /tmp/x",
  "http://example.com/repo.git",
  "git://example.com/repo.git",
  "-oProxyCommand=x@host:path",
  "ssh://-oProxyCommand=x/repo",
  "relative/path",
  "https://example.com/a b",
])("the remote %j is refused before git sees it", async (url) => {
  const opened = openSource({ url, branch: "main", cacheDir: temporaryDirectory() });
  expect(await failure(opened)).toMatchObject({ code: "invalid-remote", blame: "user" });
});
