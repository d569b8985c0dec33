import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readRunBody } from "../../../src/cli/run-body.ts";

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-body-"));
  file = join(directory, "body.json");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("a context is one JSON object", async () => {
  await writeFile(file, '{"event": "issues", "labels": ["ü"]}');
  expect(await readRunBody(file)).toEqual({ event: "issues", labels: ["ü"] });
});

test("10 MB are read, one byte more is refused with its size", async () => {
  const most = 10 * 1024 * 1024;
  await writeFile(file, `{"text":"${"x".repeat(most - 11)}"}`);
  expect((await readRunBody(file)).text).toHaveLength(most - 11);
  await truncate(file, most + 1);
  await expect(readRunBody(file)).rejects.toMatchObject({
    code: "invalid-body",
    message: `--body ${file}: has 10.0 MB; a run's context may have at most 10 MB`,
  });
});

test.each([
  ["[1]", "must hold one JSON object"],
  ["null", "must hold one JSON object"],
  ["{oops", "is not JSON"],
  [Buffer.from([0x7b, 0xff, 0x7d]), "is not JSON"],
])("%s is refused", async (content, problem) => {
  await writeFile(file, content);
  await expect(readRunBody(file)).rejects.toMatchObject({
    message: expect.stringContaining(problem),
  });
});

test("a missing file and a directory are refused", async () => {
  await expect(readRunBody(file)).rejects.toMatchObject({ code: "invalid-body" });
  await expect(readRunBody(directory)).rejects.toMatchObject({
    message: `--body ${directory}: is not a file`,
  });
});
