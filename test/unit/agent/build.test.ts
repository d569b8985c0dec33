import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleAgents } from "../../../src/build.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-build-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

test("the same sources give the same bundle, byte for byte, wherever it is put", async () => {
  await bundleAgents(join(directory, "a"));
  await bundleAgents(join(directory, "deeper/b"));
  const files = await filesOf(join(directory, "a"));
  expect(await filesOf(join(directory, "deeper/b"))).toEqual(files);
  expect(files).toEqual(expect.arrayContaining(["container-entry.js", "package.json", "probe.js"]));
  for (const file of files) {
    const [a, b] = await Promise.all(
      ["a", "deeper/b"].map((copy) => readFile(join(directory, copy, file))),
    );
    expect(a?.equals(b as Buffer)).toBe(true);
  }
}, 30_000);

test("the bundle holds no path of this machine", async () => {
  for (const file of await filesOf(join(directory, "a"))) {
    const content = await readFile(join(directory, "a", file), "utf8");
    expect(content).not.toContain(join(import.meta.dirname, "../../.."));
  }
});

test("the entry program itself is small, so that it hears a SIGTERM early", async () => {
  const { size } = await stat(join(directory, "a/container-entry.js"));
  expect(size).toBeLessThan(200_000);
});

test("what every run loads is the session alone, without pi's terminal and others' models", async () => {
  const chunks = (await filesOf(join(directory, "a"))).filter((name) => name.endsWith(".js"));
  const sizes = await Promise.all(chunks.map((name) => stat(join(directory, "a", name))));
  expect(Math.max(...sizes.map(({ size }) => size))).toBeLessThan(1_400_000);
  const text = await readFile(
    join(directory, "a", chunks.find((name) => /pi-session/.test(name)) ?? ""),
    "utf8",
  );
  expect(text).toContain("claude-sonnet-4-5");
  expect(text).not.toContain("amazon.nova");
});

async function filesOf(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}
