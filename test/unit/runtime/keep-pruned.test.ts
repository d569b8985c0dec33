import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { monotonicFactory } from "ulid";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/logger.ts";
import { RECEIPT_RETENTION } from "../../../src/core/retention.ts";
import type { Trigger } from "../../../src/core/trigger.ts";
import type { WebhookReceipt } from "../../../src/core/webhook-receipt.ts";
import { keepPruned, type Pruning, pruneOnce } from "../../../src/runtime/keep-pruned.ts";
import { logPath } from "../../../src/runtime/run-log-file.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { createRunUpkeep } from "../../../src/state/run-upkeep.ts";
import { createSignalStore } from "../../../src/state/signal-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { createWebhookReceipts } from "../../../src/state/webhook-receipts.ts";
import { release } from "../schedule/harness.ts";
import { SimulatedClock } from "../schedule/simulated-clock.ts";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const MANUAL = { kind: "manual" } as const;

const ulid = monotonicFactory();
const ulidAt = monotonicFactory();

let projectDir: string;
let clock: SimulatedClock;
let database: DatabaseSync;
let store: ReturnType<typeof createRunStore>;
beforeEach(() => {
  projectDir = mkdtempSync(join(tmpdir(), "al-pruned-"));
  clock = new SimulatedClock();
  database = openDatabase(join(projectDir, "state.db"), RUN_MIGRATIONS);
  store = createRunStore(database);
});
afterEach(() => {
  database.close();
  rmSync(projectDir, { recursive: true });
});

/** A run accepted now, with a log of so many bytes. */
async function run(bytes = 10, trigger: Trigger = MANUAL): Promise<string> {
  const id = ulid(clock.now());
  await store.accept({ id, agent: "dev", trigger, createdAt: clock.now(), reruns: 0 });
  await log(id, bytes);
  return id;
}

async function log(id: string, bytes = 10): Promise<void> {
  const path = logPath(projectDir, { agent: "dev", id });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, Buffer.alloc(bytes));
  await utimes(path, clock.now() / 1000, clock.now() / 1000);
}

const end = (id: string) => store.finished(id, { outcome: "completed", endedAt: clock.now() });
const logs = async () =>
  (await readdir(join(projectDir, "logs/dev"))).map((name) => name.slice(0, -4)).sort();
const records = async () => (await store.list({ limit: 1000 })).map(({ id }) => id).sort();

function pruning({ days = 30, logBytes = 1e9 } = {}): Pruning {
  const receipts = createWebhookReceipts(database, () => undefined);
  const releases = { current: async () => release([], { retention: { days, logBytes } }) };
  const upkeep = createRunUpkeep(database);
  return { projectDir, store, upkeep, receipts, releases, clock, logger: silentLogger };
}

const prune = (retention = {}) => pruneOnce(pruning(retention), new AbortController().signal);

test("runs and their logs are forgotten when their time is over, and none before", async () => {
  const old = await run();
  await end(old);
  await clock.advance(2 * HOUR_MS);
  const young = await run();
  await end(young);
  await clock.advance(2 * DAY_MS - 3 * HOUR_MS);
  await prune({ days: 2 });
  expect([await records(), await logs()]).toEqual([
    [old, young],
    [old, young],
  ]);
  await clock.advance(2 * HOUR_MS);
  await prune({ days: 2 });
  expect([await records(), await logs()]).toEqual([[young], [young]]);
});

test("runs are forgotten by their end, though a clock that was ahead once gave them their ids", async () => {
  const ids = Array.from({ length: 51 }, () => ulidAt(clock.now() + 365 * DAY_MS));
  for (const id of ids) {
    await store.accept({ id, agent: "dev", trigger: MANUAL, createdAt: 1, reruns: 0 });
    await log(id);
    await end(id);
    await clock.advance(1000);
  }
  await clock.advance(30 * DAY_MS - 10_000);
  await prune();
  const young = ids.slice(-10);
  expect([await records(), await logs()]).toEqual([young, young]);
});

test("what has not ended is kept, and what it called", async () => {
  const caller = await run();
  const trigger = { kind: "call", caller: "dev", callerRun: caller, depth: 1, context: 1 } as const;
  const called = await run(10, trigger);
  await createSignalStore(database).setReturnValue(called, "answer");
  await end(called);
  await clock.advance(100 * DAY_MS);
  await prune();
  expect([await records(), await logs()]).toEqual([
    [caller, called],
    [caller, called],
  ]);
  expect(await createSignalStore(database).returnValue(called)).toBe("answer");
  await end(caller);
  await prune();
  expect([await records(), await logs()]).toEqual([[caller], [caller]]);
});

test("a return value goes a day after its run, when its caller has ended", async () => {
  const ids = [await run(), await run()];
  const signals = createSignalStore(database);
  for (const id of ids) await signals.setReturnValue(id, "answer");
  await end(ids[0] ?? "");
  await clock.advance(DAY_MS + 1);
  await end(ids[1] ?? "");
  await prune();
  expect(await signals.returnValue(ids[0] ?? "")).toBeUndefined();
  expect(await signals.returnValue(ids[1] ?? "")).toBe("answer");
  expect(await records()).toEqual(ids.toSorted());
});

test("of logs that are too large together the oldest go, but never that of a run under way", async () => {
  const under = await run(60);
  const ids = [under];
  for (let n = 0; n < 4; n += 1) {
    await clock.advance(1000);
    const id = await run(30);
    await end(id);
    ids.push(id);
  }
  await prune({ logBytes: 70 });
  expect(await logs()).toEqual([ids[0], ids[3], ids[4]]);
  expect(await records()).toEqual(ids);
});

test("logs that no record knows go by their age, and other files stay", async () => {
  const lost = ulid(clock.now());
  await log(lost);
  writeFileSync(join(projectDir, "logs/dev/notes.txt"), "mine");
  await clock.advance(30 * DAY_MS - HOUR_MS);
  await prune();
  expect(await logs()).toContain(lost);
  await clock.advance(2 * HOUR_MS);
  await prune();
  expect(readdirSync(join(projectDir, "logs/dev"))).toEqual(["notes.txt"]);
});

test("a crash between a log and its record leaves what is forgotten the next time", async () => {
  const id = await run();
  await end(id);
  rmSync(logPath(projectDir, { agent: "dev", id }));
  await clock.advance(31 * DAY_MS);
  await prune();
  expect(await records()).toEqual([]);
});

test("a thousand runs are forgotten little by little, and nobody waits for all of it", async () => {
  for (let n = 0; n < 1000; n += 1) {
    const id = ulid(clock.now());
    await store.accept({ id, agent: "dev", trigger: MANUAL, createdAt: 1, reruns: 0 });
    await end(id);
  }
  await clock.advance(31 * DAY_MS);
  let longest = 0;
  let last = performance.now();
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  await prune();
  expect(await records()).toEqual([]);
  clearInterval(beat);
  expect(longest).toBeLessThan(500);
  expect(statSync(join(projectDir, "state.db-wal")).size).toBe(0);
});

test("receipts are forgotten within an hour of their retention's end, and none before", async () => {
  const receipts = createWebhookReceipts(database, () => undefined);
  const receipt = (id: string): WebhookReceipt => ({
    ...({ id, type: "github", sources: ["acme"], deliveryId: id, headers: {} } as const),
    ...{ receivedAt: clock.now(), body: Buffer.from("{}") },
  });
  await receipts.accept([{ receipt: receipt("1"), runs: [] }]);
  await clock.advance(2 * HOUR_MS);
  await receipts.accept([{ receipt: receipt("2"), runs: [] }]);
  const ids = async () => (await receipts.list({ limit: 9 })).map(({ id }) => id);
  await clock.advance(RECEIPT_RETENTION.ms - 2 * HOUR_MS);
  const abort = new AbortController();
  const kept = keepPruned(pruning(), abort.signal);
  await expect.poll(() => clock.sleepers).toBe(1);
  expect(await ids()).toEqual(["2", "1"]);
  await clock.advance(HOUR_MS);
  await expect.poll(ids).toEqual(["2"]);
  abort.abort();
  await kept;
});

test("logs that no record knows go first of all where there is no room for them", async () => {
  const lost = ulid(clock.now());
  await log(lost, 100);
  const id = await run(60);
  await prune({ logBytes: 70 });
  expect(await logs()).toEqual([id]);
});
