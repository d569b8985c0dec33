import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { credentialVersionsOf } from "../../../src/runtime/credential-versions.ts";

const file = (path: string, text: string) => ({ path, content: Buffer.from(text) });

it("gives a version for each credential, which changes with any of its fields and the host's key", async () => {
  const directory = await mkdtemp(join(tmpdir(), "al-versions-"));
  try {
    const files = [
      file("git_ssh/bot/id_rsa", "key"),
      file("git_ssh/bot/email", "bot@acme"),
      file("github_token/default/token", "ghp"),
    ];
    expect(await credentialVersionsOf(directory, files)).toEqual({});
    await writeFile(join(directory, "credential.key"), "00ff\n");
    const first = await credentialVersionsOf(directory, files);
    expect(Object.keys(first)).toEqual(["git_ssh:bot", "github_token:default"]);
    expect(JSON.stringify(first)).not.toContain("ghp");
    expect(await credentialVersionsOf(directory, files.toReversed())).toEqual(first);
    const other = [...files.slice(1), file("git_ssh/bot/id_rsa", "new")];
    const rotated = await credentialVersionsOf(directory, other);
    expect(rotated["git_ssh:bot"]).not.toBe(first["git_ssh:bot"]);
    expect(rotated["github_token:default"]).toBe(first["github_token:default"]);
    await writeFile(join(directory, "credential.key"), "11ff\n");
    expect(await credentialVersionsOf(directory, files)).not.toEqual(first);
  } finally {
    await rm(directory, { recursive: true });
  }
});
