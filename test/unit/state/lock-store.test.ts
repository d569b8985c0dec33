import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Locks } from "../../../src/schedule/locks.ts";
import { createLockStore } from "../../../src/state/lock-store.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { agent, release } from "../schedule/harness.ts";
import { SimulatedClock } from "../schedule/simulated-clock.ts";

const KEY = "github issue acme/app#42";
const SECOND = 1000;

let directory: string;
let database: DatabaseSync;
let clock: SimulatedClock;
let locks: Locks;
const releases = { current: async () => release([agent("dev")], { lockTimeoutSeconds: 1800 }) };

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "al-locks-"));
  clock = new SimulatedClock();
  open();
  for (const id of ["1", "2"]) {
    const trigger = { kind: "manual" } as const;
    const run = { id, agent: `agent-${id}`, trigger, createdAt: clock.now(), reruns: 0 };
    await createRunStore(database).accept(run);
  }
});

afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

function open(): void {
  database = openDatabase(join(directory, "state.db"), RUN_MIGRATIONS);
  locks = new Locks({ store: createLockStore(database), releases, clock });
}

/** A run, as far as locks are concerned. */
async function run(id: string) {
  const found = await createRunStore(database).get(id);
  if (!found) throw new TypeError(`no run ${id}`);
  return found;
}

const acquire = async (id: string, key: string, ttl?: number) =>
  locks.acquire(await run(id), key, ttl === undefined ? {} : { ttlSeconds: ttl });
const giveBack = async (id: string, key: string) => locks.release(await run(id), key);
const heartbeat = async (id: string, key: string, ttl?: number) =>
  locks.heartbeat(await run(id), key, ttl);

describe("a lock", () => {
  it("is one run's until it gives it back", async () => {
    const start = clock.now();
    expect(await acquire("1", KEY)).toEqual({ kind: "held", expiresAt: start + 1800 * SECOND });
    await clock.advance(5 * SECOND);
    const lock = { resourceKey: KEY, run: "1", agent: "agent-1", heldSince: start };
    const taken = { kind: "taken", lock: { ...lock, expiresAt: start + 1800 * SECOND } };
    expect(await acquire("2", KEY)).toEqual(taken);
    expect(await giveBack("2", KEY)).toEqual(taken);
    expect(await heartbeat("2", KEY)).toEqual(taken);
    expect(await locks.list()).toEqual([{ ...taken.lock, waiting: 0 }]);
    expect(await giveBack("1", KEY)).toEqual({ kind: "released" });
    expect(await giveBack("1", KEY)).toEqual({ kind: "free" });
    expect(await acquire("2", KEY)).toMatchObject({ kind: "held" });
  });

  it("is the only one of its run", async () => {
    await acquire("1", KEY);
    expect(await acquire("1", "other")).toEqual({ kind: "holds-another", resourceKey: KEY });
    await giveBack("1", KEY);
    expect(await acquire("1", "other")).toMatchObject({ kind: "held" });
  });

  it("is extended when its run asks for it again, and held since the first time", async () => {
    const start = clock.now();
    await acquire("1", KEY, 10);
    await clock.advance(9 * SECOND);
    expect(await acquire("1", KEY, 10)).toEqual({ kind: "held", expiresAt: start + 19 * SECOND });
    expect(await locks.list()).toMatchObject([{ heldSince: start }]);
  });

  it("expires at its time and not before, unless a heartbeat comes", async () => {
    await acquire("1", KEY, 10);
    await clock.advance(9_999);
    expect(await acquire("2", KEY)).toMatchObject({ kind: "taken" });
    expect(await heartbeat("1", KEY, 10)).toEqual({
      kind: "held",
      expiresAt: clock.now() + 10_000,
    });
    await clock.advance(9_999);
    expect(await acquire("2", KEY)).toMatchObject({ kind: "taken" });
    await clock.advance(1);
    expect(await locks.list()).toEqual([]);
    expect(await heartbeat("1", KEY)).toEqual({ kind: "free" });
    expect(await acquire("2", KEY)).toMatchObject({ kind: "held" });
    expect(await heartbeat("1", KEY)).toMatchObject({ kind: "taken", lock: { run: "2" } });
    expect(await giveBack("1", KEY)).toMatchObject({ kind: "taken", lock: { run: "2" } });
  });

  it("that expired does not keep its run from another", async () => {
    await acquire("1", KEY, 10);
    await clock.advance(10 * SECOND);
    expect(await acquire("1", "other")).toMatchObject({ kind: "held" });
  });
});

describe("the end of a lock", () => {
  it("does not come with the process that stored it", async () => {
    await acquire("1", KEY);
    const before = await locks.list();
    database.close();
    open();
    expect(await locks.list()).toEqual(before);
    expect(await acquire("2", KEY)).toMatchObject({ kind: "taken" });
    expect(await giveBack("1", KEY)).toEqual({ kind: "released" });
  });

  it.each(["completed", "interrupted"] as const)("comes with a run that is %s", async (outcome) => {
    await acquire("1", KEY);
    await createRunStore(database).finished("1", { outcome, endedAt: clock.now() });
    expect(await locks.list()).toEqual([]);
    expect(await acquire("2", KEY)).toMatchObject({ kind: "held" });
  });

  it("comes with its run's, also for a runtime that was rolled back to one without locks", async () => {
    await acquire("1", KEY);
    database.close();
    database = openDatabase(join(directory, "state.db"), RUN_MIGRATIONS.slice(0, 1));
    database.exec("UPDATE runs SET state = 'finished' WHERE id = '1'");
    database.close();
    open();
    expect(await locks.list()).toEqual([]);
  });

  it("does not come with the end of other runs", async () => {
    await acquire("1", KEY);
    await acquire("2", "other");
    await createRunStore(database).finished("2", { outcome: "killed", endedAt: clock.now() });
    expect(await locks.list()).toMatchObject([{ resourceKey: KEY, run: "1" }]);
  });

  it("finds its key as it was, whatever it is made of", async () => {
    const key = "'; DROP TABLE locks; --\n\u0000 ü 🦙";
    await acquire("1", key);
    expect(await locks.list()).toMatchObject([{ resourceKey: key }]);
    expect(await acquire("2", key)).toMatchObject({ kind: "taken" });
  });
});

it("is refused by a runtime that is not live any more", async () => {
  const store = createLockStore(database);
  const stale = new Locks({ store, clock, releases: { current: async () => undefined } });
  await expect(stale.acquire(await run("1"), KEY)).rejects.toMatchObject({ code: "not-serving" });
});
