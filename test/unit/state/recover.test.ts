import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { damageOf } from "../../../src/state/database-check.ts";
import { openRunDatabase } from "../../../src/state/recover.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { asides } from "../../../src/state/set-aside.ts";
import {
  fill,
  leafAmidst,
  look,
  NOW,
  overwrite,
  PAGE,
  QUEUED,
  rootOf,
  SOUND,
  write,
} from "./damaged-database.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "al-recover-"));
  path = join(directory, "state.db");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("a sound database", () => {
  it("is opened as it is, and one that is not there is made", async () => {
    await fill(path);
    const { recovery, waiting } = await look(path);
    expect(recovery).toBeUndefined();
    expect(waiting).toHaveLength(QUEUED);
    expect(readdirSync(directory)).toEqual(["state.db"]);
  });

  it("keeps what only its log has, when its process was killed", async () => {
    const { database } = openRunDatabase(path, NOW);
    await write(database, 10);
    const copy = join(directory, "copy");
    mkdirSync(copy);
    for (const name of ["state.db", "state.db-wal"]) {
      copyFileSync(join(directory, name), join(copy, name));
    }
    database.close();
    path = join(copy, "state.db");
    const { recovery, waiting } = await look(path);
    expect(recovery).toBeUndefined();
    expect(waiting).toHaveLength(QUEUED);
  });
});

it("checks less of a large database: all that decides what runs", async () => {
  await fill(path);
  overwrite(path, rootOf(path, "run_contexts"), Buffer.alloc(PAGE));
  const large = { bigTables: ["run_contexts"], fullCheckBytes: 0 };
  expect(damageOf(path, large)).toBeUndefined();
  expect(damageOf(path)).toEqual(expect.any(String));
  overwrite(path, rootOf(path, "runs_unfinished"), Buffer.alloc(PAGE));
  expect(damageOf(path, large)).toEqual(expect.any(String));
});

describe("a damaged database", () => {
  it.each([
    ["is no database", (content: Buffer) => content.fill(7)],
    ["is empty", () => Buffer.alloc(0)],
    ["was cut off in its first page", (content: Buffer) => content.subarray(0, 1000)],
  ])("that %s is kept aside, and an empty one takes its place", async (_what, spoil) => {
    await fill(path);
    const spoilt = spoil(readFileSync(path));
    writeFileSync(path, spoilt);
    const { recovery, waiting, check } = await look(path);
    const file = `${path}.damaged-20260131T120000Z`;
    const since = Math.floor(NOW / 1000) * 1000;
    expect(recovery).toMatchObject({ file, since, reason: expect.any(String), kept: {} });
    expect(recovery?.incomplete).toContain("runs");
    expect(readFileSync(file).equals(spoilt)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect([waiting, check]).toEqual([[], SOUND]);
    expect(asides(path)).toEqual([{ since, file }]);
    expect((await look(path)).recovery).toBeUndefined();
  });

  it("loses no row with a torn page of an index", async () => {
    await fill(path);
    for (const index of ["runs_unfinished", "runs_by_agent"]) {
      overwrite(path, rootOf(path, index), Buffer.alloc(PAGE));
      const { recovery, waiting, triggers, all, check } = await look(path);
      expect(recovery?.kept).toEqual({ runs: 200 + QUEUED, run_contexts: QUEUED });
      expect(recovery?.incomplete).toEqual([]);
      expect(waiting).toHaveLength(QUEUED);
      expect(triggers[0]).toMatchObject({ context: { n: 200 } });
      expect([all.length, check]).toEqual([200 + QUEUED, SOUND]);
    }
  });

  it("is found where an index lacks a run that waits", async () => {
    await fill(path);
    const root = rootOf(path, "runs_unfinished");
    const before = readFileSync(path).subarray((root - 1) * PAGE, root * PAGE);
    const { database } = openRunDatabase(path, NOW);
    const trigger = { kind: "manual" } as const;
    const run = { id: "01KZ", agent: "dev", trigger, createdAt: 1, reruns: 0 };
    await createRunStore(database).accept(run);
    database.close();
    overwrite(path, root, before);
    const { recovery, waiting } = await look(path);
    expect(recovery?.reason).toContain("missing from index");
    expect(waiting.map(({ id }) => id)).toContain("01KZ");
  });
});

it("misses a database of which only the log is left", async () => {
  const { database } = openRunDatabase(path, NOW);
  await write(database, 10);
  const log = readFileSync(`${path}-wal`);
  database.close();
  rmSync(path);
  writeFileSync(`${path}-wal`, log);
  const { recovery, waiting } = await look(path);
  expect(recovery?.reason).toContain("its log is there without it");
  expect(waiting).toEqual([]);
  expect(asides(path)).toMatchObject([{ file: recovery?.file }]);
  expect(readFileSync(`${recovery?.file}-wal`).equals(log)).toBe(true);
});

describe("rows of a damaged database", () => {
  it("are not kept that refer to nothing", async () => {
    await fill(path);
    const database = new DatabaseSync(path);
    database.exec("PRAGMA foreign_keys = OFF; INSERT INTO locks VALUES ('key', 'nobody', 1, 2)");
    database.close();
    const { recovery, waiting } = await look(path);
    expect(recovery?.reason).toContain("locks");
    expect(recovery?.incomplete).toEqual(["locks"]);
    expect(waiting).toHaveLength(QUEUED);
  });

  it("are all that lie on other pages than a torn one", async () => {
    await fill(path);
    const { page, rows } = leafAmidst(path, "runs");
    overwrite(path, page, Buffer.alloc(PAGE));
    const { recovery, waiting, all, check } = await look(path);
    expect(recovery?.incomplete).toEqual(["runs"]);
    expect([waiting.length, check]).toEqual([QUEUED, SOUND]);
    const ids = all.map(({ id }) => Number(id.slice(3)));
    expect([ids.at(-1), ids[0]]).toEqual([0, 200 + QUEUED - 1]);
    expect(rows).toBeGreaterThan(1);
    expect(ids).toHaveLength(200 + QUEUED - rows);
  });

  it("are those that were there, and can be worked with, whichever pages are torn", async () => {
    await fill(path);
    const whole = readFileSync(path);
    const before = new Map((await look(path)).all.map((run) => [run.id, run]));
    const pages = whole.length / PAGE;
    const damage = fc.record({
      page: fc.integer({ min: 1, max: pages }),
      fill: fc.constantFrom(0, 0xff, 0x5a),
      half: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (all) => {
        for (const name of readdirSync(directory)) rmSync(join(directory, name));
        writeFileSync(path, whole);
        for (const { page, fill: byte, half } of all) {
          overwrite(path, page, Buffer.alloc(half ? PAGE / 2 : PAGE, byte));
        }
        const found = await look(path);
        expect(found.check).toEqual(SOUND);
        for (const run of found.all) expect(run).toEqual(before.get(run.id));
        if (found.recovery) expect(existsSync(found.recovery.file)).toBe(true);
        else expect(found.all).toHaveLength(before.size);
      }),
      { numRuns: 25 },
    );
  });
});
