import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract } from "tar-stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { credentialFiles, runArchive } from "../../../src/runtime/run-files.ts";

let set: string;
beforeEach(async () => {
  set = await mkdtemp(join(tmpdir(), "al-set-"));
  for (const path of ["github_token/default/token", "git_ssh/bot/id_rsa", "git_ssh/bot/email"]) {
    await mkdir(join(set, path, ".."), { recursive: true });
    await writeFile(join(set, path), `value of ${path}`);
  }
});
afterEach(() => rm(set, { recursive: true, force: true }));

it("takes only what the agent lists", async () => {
  const files = await credentialFiles(set, ["git_ssh:bot"]);
  expect(files.map(({ path }) => path)).toEqual(["git_ssh/bot/email", "git_ssh/bot/id_rsa"]);
  expect(await credentialFiles(set, [])).toEqual([]);
});

it("follows no symbolic link out of the set", async () => {
  await symlink("/etc/passwd", join(set, "git_ssh/bot/username"));
  const files = await credentialFiles(set, ["git_ssh:bot"]);
  expect(files.map(({ path }) => path)).not.toContain("git_ssh/bot/username");
});

it("names a credential that is not there", async () => {
  await expect(credentialFiles(set, ["linear_token"])).rejects.toMatchObject({
    code: "credential-missing",
    message: "credential linear_token:default is not on this host",
  });
});

it("packs files that only uid 1000 can read, in directories only it can enter", async () => {
  const archive = runArchive(await credentialFiles(set, ["github_token"]));
  const entries: unknown[] = [];
  for await (const entry of archive.pipe(extract())) {
    const { name, type, mode, uid, gid } = entry.header;
    entries.push([name, type, mode, uid, gid]);
    entry.resume();
  }
  expect(entries).toEqual([
    ["./", "directory", 0o500, 1000, 1000],
    ["github_token/", "directory", 0o500, 1000, 1000],
    ["github_token/default/", "directory", 0o500, 1000, 1000],
    ["github_token/default/token", "file", 0o400, 1000, 1000],
  ]);
});
