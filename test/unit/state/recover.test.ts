import {
  chmodSync,
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
import { asides, MAX_ASIDE } from "../../../src/state/set-aside.ts";

const NOW = Date.parse("2026-01-31T12:00:00.500Z");
const PAGE = 4096;
const QUEUED = 50;

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "al-recover-"));
  path = join(directory, "state.db");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A database with many finished runs and some that wait, closed in order. */
async function fill(finished = 200): Promise<void> {
  const { database } = openRunDatabase(path, NOW);
  await write(database, finished);
  database.close();
}

async function write(database: DatabaseSync, finished: number): Promise<void> {
  database.exec("PRAGMA synchronous = OFF");
  const store = createRunStore(database);
  for (let n = 0; n < finished + QUEUED; n += 1) {
    const id = `01K${String(n).padStart(23, "0")}`;
    const trigger = { kind: "webhook", source: "github", context: { n } } as const;
    await store.accept({ id, agent: "dev", trigger, createdAt: n, reruns: 0, key: `k/${n}` });
    if (n < finished) await store.finished(id, { outcome: "completed", endedAt: n });
  }
}

/** Opens it, and says what is there. */
async function look(now = NOW) {
  const { database, recovery } = openRunDatabase(path, now);
  const store = createRunStore(database);
  const waiting = await store.unfinished();
  const triggers = await Promise.all(waiting.map(({ id }) => store.trigger(id)));
  const all = await store.list({ limit: 1000 });
  const check = database.prepare("PRAGMA integrity_check").all();
  database.close();
  return { recovery, waiting, triggers, all, check };
}

/** The page where a table or an index begins. */
function rootOf(name: string): number {
  const database = new DatabaseSync(path);
  const row = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(name);
  database.close();
  return Number(row?.rootpage);
}

function overwrite(page: number, bytes: Buffer): void {
  const content = readFileSync(path);
  bytes.copy(content, (page - 1) * PAGE);
  writeFileSync(path, content);
}

const SOUND = [{ integrity_check: "ok" }];

describe("a sound database", () => {
  it("is opened as it is, and one that is not there is made", async () => {
    await fill();
    const { recovery, waiting } = await look();
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
    const { recovery, waiting } = await look();
    expect(recovery).toBeUndefined();
    expect(waiting).toHaveLength(QUEUED);
  });
});

it("checks less of a large database: all that decides what runs", async () => {
  await fill();
  overwrite(rootOf("run_contexts"), Buffer.alloc(PAGE));
  const large = { bigTables: ["run_contexts"], fullCheckBytes: 0 };
  expect(damageOf(path, large)).toBeUndefined();
  expect(damageOf(path)).toEqual(expect.any(String));
  overwrite(rootOf("runs_unfinished"), Buffer.alloc(PAGE));
  expect(damageOf(path, large)).toEqual(expect.any(String));
});

describe("a damaged database", () => {
  it.each([
    ["is no database", (content: Buffer) => content.fill(7)],
    ["is empty", () => Buffer.alloc(0)],
    ["was cut off in its first page", (content: Buffer) => content.subarray(0, 1000)],
  ])("that %s is kept aside, and an empty one takes its place", async (_what, spoil) => {
    await fill();
    const spoilt = spoil(readFileSync(path));
    writeFileSync(path, spoilt);
    const { recovery, waiting, check } = await look();
    const file = `${path}.damaged-20260131T120000Z`;
    const since = Math.floor(NOW / 1000) * 1000;
    expect(recovery).toMatchObject({ file, since, reason: expect.any(String), kept: {} });
    expect(recovery?.incomplete).toContain("runs");
    expect(readFileSync(file).equals(spoilt)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect([waiting, check]).toEqual([[], SOUND]);
    expect(asides(path)).toEqual([{ since, file }]);
    expect((await look()).recovery).toBeUndefined();
  });

  it("loses no row with a torn page of an index", async () => {
    await fill();
    for (const index of ["runs_unfinished", "runs_by_agent"]) {
      overwrite(rootOf(index), Buffer.alloc(PAGE));
      const { recovery, waiting, triggers, all, check } = await look();
      expect(recovery?.kept).toEqual({ runs: 200 + QUEUED, run_contexts: QUEUED });
      expect(recovery?.incomplete).toEqual([]);
      expect(waiting).toHaveLength(QUEUED);
      expect(triggers[0]).toMatchObject({ context: { n: 200 } });
      expect([all.length, check]).toEqual([200 + QUEUED, SOUND]);
    }
  });

  it("is found where an index lacks a run that waits", async () => {
    await fill();
    const root = rootOf("runs_unfinished");
    const before = readFileSync(path).subarray((root - 1) * PAGE, root * PAGE);
    const { database } = openRunDatabase(path, NOW);
    const trigger = { kind: "manual" } as const;
    const run = { id: "01KZ", agent: "dev", trigger, createdAt: 1, reruns: 0 };
    await createRunStore(database).accept(run);
    database.close();
    overwrite(root, before);
    const { recovery, waiting } = await look();
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
  const { recovery, waiting } = await look();
  expect(recovery?.reason).toContain("its log is there without it");
  expect(waiting).toEqual([]);
  expect(asides(path)).toMatchObject([{ file: recovery?.file }]);
  expect(readFileSync(`${recovery?.file}-wal`).equals(log)).toBe(true);
});

describe("rows of a damaged database", () => {
  it("are not kept that refer to nothing", async () => {
    await fill();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA foreign_keys = OFF; INSERT INTO locks VALUES ('key', 'nobody', 1, 2)");
    database.close();
    const { recovery, waiting } = await look();
    expect(recovery?.reason).toContain("locks");
    expect(recovery?.incomplete).toEqual(["locks"]);
    expect(waiting).toHaveLength(QUEUED);
  });

  it("are those that were there, and can be worked with, whichever pages are torn", async () => {
    await fill();
    const whole = readFileSync(path);
    const before = new Map((await look()).all.map((run) => [run.id, run]));
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
          overwrite(page, Buffer.alloc(half ? PAGE / 2 : PAGE, byte));
        }
        const found = await look();
        expect(found.check).toEqual(SOUND);
        for (const run of found.all) expect(run).toEqual(before.get(run.id));
        if (found.recovery) expect(existsSync(found.recovery.file)).toBe(true);
        else expect(found.all).toHaveLength(before.size);
      }),
      { numRuns: 25 },
    );
  });
});

describe("putting a damaged database aside", () => {
  it("overwrites none and keeps the newest", async () => {
    for (let n = 0; n < MAX_ASIDE + 2; n += 1) {
      writeFileSync(path, `damage ${n}`);
      await look(NOW + Math.floor(n / 2) * 1000);
    }
    const contents = asides(path).map(({ file }) => readFileSync(file, "utf8"));
    expect(contents).toEqual(["damage 6", "damage 5", "damage 4", "damage 3", "damage 2"]);
  });

  it("can be interrupted before the new one is whole", async () => {
    await fill();
    overwrite(rootOf("runs_unfinished"), Buffer.alloc(PAGE));
    writeFileSync(`${path}.recovering`, "half");
    writeFileSync(`${path}.damaged-20260131T120000Z-wal`, "half");
    const { recovery, waiting } = await look();
    expect(recovery?.file).toBe(`${path}.damaged-20260131T120000Z-2`);
    expect(waiting).toHaveLength(QUEUED);
    expect(existsSync(`${path}.recovering`)).toBe(false);
  });

  it("can be interrupted before the new one takes the old one's place and log", async () => {
    await fill();
    const { database } = openRunDatabase(path, NOW);
    await createRunStore(database).finished(`01K${"0".repeat(20)}200`, {
      ...{ outcome: "completed", endedAt: 1 },
    });
    const log = readFileSync(`${path}-wal`);
    database.close();
    copyFileSync(path, `${path}.recovered`);
    writeFileSync(path, "damaged");
    writeFileSync(`${path}-wal`, log);
    const { recovery, waiting } = await look();
    expect(recovery).toBeUndefined();
    expect(waiting).toHaveLength(QUEUED - 1);
  });

  it("does not take a file that is out of reach for a damaged one", async () => {
    mkdirSync(path);
    expect(() => openRunDatabase(path, NOW)).toThrow(
      expect.objectContaining({ code: "database-unusable", blame: "terminal" }),
    );
    expect(readdirSync(directory)).toEqual(["state.db"]);
    chmodSync(path, 0o700);
  });
});
