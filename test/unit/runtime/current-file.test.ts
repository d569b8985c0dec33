import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { networkIn } from "../../../src/core/subnet.ts";
import { currentReader } from "../../../src/runtime/current-file.ts";

let projectDir: string;
beforeEach(async () => {
  projectDir = await mkdtemp(join(tmpdir(), "al-current-"));
});
afterEach(() => rm(projectDir, { recursive: true, force: true }));

/** As hosts are written to: a whole new file in place of the old one. */
async function replace(text: string): Promise<void> {
  await writeFile(join(projectDir, "next"), text);
  await rename(join(projectDir, "next"), join(projectDir, "current.json"));
}

function current(revision: string): string {
  const hash = "0".repeat(64);
  const network = networkIn("p", "10.213.1.0/24");
  const facts = { project: "p", host: "h", revision, runtime: "me", network };
  return JSON.stringify({ ...facts, release: hash, credentials: hash });
}

it("sees each replacement at once, however fast they follow each other", async () => {
  const read = currentReader(projectDir);
  expect(await read()).toBeUndefined();
  for (let n = 100; n < 300; n++) {
    await replace(current(`r${n}`));
    expect((await read())?.revision).toBe(`r${n}`);
  }
  await rm(join(projectDir, "current.json"));
  expect(await read()).toBeUndefined();
});

it("does not read again what was not replaced", async () => {
  const read = currentReader(projectDir);
  await replace(current("r1"));
  expect(await read()).toBe(await read());
});

it("fails for what cannot be read, and reads what replaces it", async () => {
  const read = currentReader(projectDir);
  await replace("{");
  await expect(read()).rejects.toMatchObject({ code: "current-unreadable" });
  await replace(current("r1"));
  expect(await read()).toMatchObject({ revision: "r1" });
});
