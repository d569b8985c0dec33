import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLogger } from "../../../src/base/logger.ts";
import type { RuntimeLogLine } from "../../../src/gateway/ports.ts";
import { RuntimeLogFile, runtimeLogDirectory } from "../../../src/runtime/runtime-log-file.ts";
import { runtimeLog } from "../../../src/runtime/runtime-log-read.ts";

const BOUNDS = { fileBytes: 1000, files: 3 };

let project: string;
let directory: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "al-runtime-log-"));
  directory = runtimeLogDirectory(project);
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function readAll(cursor = 0): Promise<RuntimeLogLine[]> {
  const found: RuntimeLogLine[] = [];
  const log = runtimeLog(project);
  for (let batch = await log.read(cursor); batch.length > 0; ) {
    found.push(...batch);
    batch = await log.read(found.at(-1)?.cursor ?? 0);
  }
  return found;
}

const numbersOf = (lines: readonly RuntimeLogLine[]) => lines.map(({ fields }) => fields.n);

test("what a logger says is read back, from any cursor on", async () => {
  expect(await readAll()).toEqual([]);
  const file = new RuntimeLogFile(directory);
  const logger = createLogger({ destination: file });
  logger.info({ n: 1, agent: "dev" }, "run begins");
  logger.child({ pass: 7 }).error({ n: 2, err: new Error("no luck") }, "run failed");
  const lines = await readAll();
  expect(lines).toMatchObject([
    { level: "info", message: "run begins", fields: { n: 1, agent: "dev" } },
    {
      level: "error",
      message: "run failed",
      fields: { n: 2, pass: 7, err: { message: "no luck" } },
    },
  ]);
  expect(Math.abs(Date.now() - (lines[0]?.time ?? 0))).toBeLessThan(60_000);
  expect(numbersOf(await readAll(lines[0]?.cursor))).toEqual([2]);
  file.close();
});

test("files are bounded in size and number, for their owner only, and the newest lines stay", async () => {
  const file = new RuntimeLogFile(directory, BOUNDS);
  const logger = createLogger({ destination: file });
  for (let n = 1; n <= 200; n += 1) logger.info({ n }, "a line of some length");
  const names = await readdir(directory);
  expect(names).toHaveLength(BOUNDS.files);
  for (const name of names) {
    const { size, mode } = await stat(join(directory, name));
    expect(size).toBeLessThan(BOUNDS.fileBytes + 200);
    expect(mode & 0o777).toBe(0o600);
  }
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  const kept = numbersOf(await readAll()).map(Number);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => 201 - kept.length + at));
  expect(kept.length).toBeGreaterThan(20);
  for (const wanted of [0, 1, 20, kept.length - 1, kept.length]) {
    const last = await readAll(await runtimeLog(project).tail(wanted));
    expect(numbersOf(last)).toEqual(kept.slice(kept.length - wanted));
  }
  expect(await runtimeLog(project).tail(1000)).toBe(0);
  file.close();
});

test("the next runtime goes on where the last one ended, and two at once lose nothing", async () => {
  const [one, other] = [
    new RuntimeLogFile(directory, BOUNDS),
    new RuntimeLogFile(directory, BOUNDS),
  ];
  const loggers = [one, other].map((destination) => createLogger({ destination }));
  for (let n = 1; n <= 30; n += 1) loggers[n % 2]?.info({ n }, "from one of two");
  one.close();
  other.close();
  const next = new RuntimeLogFile(directory, BOUNDS);
  createLogger({ destination: next }).info({ n: 31 }, "after them");
  next.close();
  const found = numbersOf(await readAll()).map(Number);
  expect(found.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 31 }, (_, at) => at + 1));
});

test("what is no line of ours, half a line and what is gone are left out", async () => {
  const file = new RuntimeLogFile(directory, BOUNDS);
  const logger = createLogger({ destination: file });
  logger.info({ n: 1 }, "first");
  file.write("not JSON\n");
  file.write('{"level":"high"}\n');
  logger.info({ n: 2 }, "second");
  file.write('{"level":30,"time":1');
  file.close();
  logger.info({ n: 2.5 }, "after a half line");
  expect(numbersOf(await readAll())).toEqual([1, 2, 2.5]);
  await writeFile(join(directory, "notes.txt"), "mine");
  const [first] = await readAll();
  for (let n = 3; n <= 100; n += 1) logger.info({ n }, "and so on");
  const later = numbersOf(await readAll(first?.cursor)).map(Number);
  expect([later[0] ?? 0, later.at(-1)]).toEqual([expect.any(Number), 100]);
  expect(later[0]).toBeGreaterThan(2);
  file.close();
});

test("a log that cannot be written stops nobody", async () => {
  await writeFile(join(project, "logs"), "in the way");
  const file = new RuntimeLogFile(directory);
  createLogger({ destination: file }).info({}, "unheard");
  file.close();
});
