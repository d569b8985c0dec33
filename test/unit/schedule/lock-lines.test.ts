import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Clock } from "../../../src/base/clock.ts";
import { AlError } from "../../../src/base/errors.ts";
import type { LockOptions } from "../../../src/core/run-lock.ts";
import { Locks } from "../../../src/schedule/locks.ts";
import { createLockStore } from "../../../src/state/lock-store.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { agent, release } from "./harness.ts";
import { SimulatedClock, settle } from "./simulated-clock.ts";

const KEY = "thing";
const RUNS = ["1", "2", "3", "4"] as const;
const wait = { waitSeconds: 300 };
const DAY_SECONDS = 24 * 3600;

let directory: string;
let database: DatabaseSync;
let clock: SimulatedClock;
let locks: Locks;
let live: boolean;
/** What each request came to, in the order of the answers: `run key kind`. */
let answers: string[];
/** Requests without an answer yet. */
let pending: { readonly id: string; readonly key: string }[];

const current = async () =>
  live ? release([agent("dev")], { lockTimeoutSeconds: 1800 }) : undefined;

async function openAll(): Promise<void> {
  clock = new SimulatedClock();
  live = true;
  answers = [];
  pending = [];
  directory = mkdtempSync(join(tmpdir(), "al-lines-"));
  database = openDatabase(join(directory, "state.db"), RUN_MIGRATIONS);
  locks = new Locks({ store: createLockStore(database), releases: { current }, clock });
  for (const id of RUNS) {
    const trigger = { kind: "manual" } as const;
    await createRunStore(database).accept({ id, agent: "dev", trigger, createdAt: 1, reruns: 0 });
  }
}

function closeAll(): void {
  database.close();
  rmSync(directory, { recursive: true });
}

beforeEach(openAll);
afterEach(closeAll);

async function runOf(id: string) {
  const run = await createRunStore(database).get(id);
  if (!run) throw new TypeError(`no run ${id}`);
  return run;
}

/** Asks, and notes the answer when it comes. Resolves when the request stands in line or is answered. */
async function ask(id: string, key = KEY, options: LockOptions = {}): Promise<void> {
  const run = await runOf(id);
  const request = { id, key };
  pending.push(request);
  const note = (kind: string) => {
    answers.push(`${id} ${key} ${kind}`);
    pending = pending.filter((each) => each !== request);
  };
  locks.acquire(run, key, options).then(
    ({ kind }) => note(kind),
    (thrown) => note(String(thrown.code)),
  );
  await settle();
}

async function giveBack(id: string, key = KEY): Promise<void> {
  await locks.release(await runOf(id), key);
  await settle();
}

async function finish(id: string): Promise<void> {
  await createRunStore(database).finished(id, { outcome: "completed", endedAt: clock.now() });
  await locks.ended(id);
  await settle();
}

it("serves those who wait in the order they came, however the lock gets free", async () => {
  await ask("1", KEY, { ttlSeconds: 10 });
  for (const id of ["2", "3", "4"]) await ask(id, KEY, wait);
  expect(answers).toEqual(["1 thing held"]);
  await clock.advance(10_000);
  expect(answers).toEqual(["1 thing held", "2 thing held"]);
  await giveBack("2");
  await finish("3");
  expect(answers.slice(2)).toEqual(["3 thing held", "4 thing held"]);
});

it("lets nobody who does not wait get past those who do", async () => {
  await ask("1");
  await ask("2", KEY, wait);
  const released = locks.release(await runOf("1"), KEY);
  const run = await runOf("3");
  const [barging] = await Promise.all([locks.acquire(run, KEY), released]);
  expect(barging).toMatchObject({ kind: "taken", lock: { run: "2" } });
  expect(answers).toEqual(["1 thing held", "2 thing held"]);
});

it("lets nobody past at the moment a lock expires", async () => {
  await ask("1", KEY, { ttlSeconds: 10 });
  await ask("2", KEY, wait);
  void clock.advance(10_000);
  await ask("3");
  expect(answers.toSorted()).toEqual(["1 thing held", "2 thing held", "3 thing taken"]);
});

it("waits on when the holder keeps its lock by a heartbeat", async () => {
  await ask("1", KEY, { ttlSeconds: 10 });
  await ask("2", KEY, wait);
  await clock.advance(9000);
  await locks.heartbeat(await runOf("1"), KEY, 20);
  await clock.advance(19_999);
  expect(answers).toEqual(["1 thing held"]);
  await clock.advance(1);
  expect(answers).toEqual(["1 thing held", "2 thing held"]);
});

it("has no run wait that holds a lock, nor two that wait for each other", async () => {
  await ask("1", "a");
  await ask("2", "b");
  await ask("1", "b", wait);
  await ask("3", "b", wait);
  await ask("1", "b", wait);
  expect(answers.slice(2)).toEqual(["1 b holds-another", "1 b holds-another"]);
  await ask("4", "a", wait);
  await ask("4", "c");
  expect(answers.slice(4)).toEqual(["4 a holds-another", "4 c held"]);
});

it("gives a run that waits for two locks the first that gets free", async () => {
  await ask("1", "a");
  await ask("2", "b");
  await ask("3", "a", wait);
  await ask("3", "b", wait);
  await ask("4", "a", wait);
  await giveBack("2", "b");
  expect(answers.slice(2).toSorted()).toEqual(["3 a holds-another", "3 b held"]);
  await giveBack("1", "a");
  expect(answers.slice(4)).toEqual(["4 a held"]);
});

it("lets a run go that ended, hung up or waited long enough, and nobody else", async () => {
  const hangUp = new AbortController();
  await ask("1");
  await ask("2", KEY, { waitSeconds: 300, signal: hangUp.signal });
  await ask("3", KEY, { waitSeconds: 5 });
  await ask("4", KEY, wait);
  expect((await locks.list())[0]).toMatchObject({ waiting: 3 });
  hangUp.abort();
  await settle();
  expect((await locks.list())[0]).toMatchObject({ waiting: 2 });
  await clock.advance(5000);
  expect(answers.slice(1)).toEqual(["2 thing ended", "3 thing taken"]);
  await finish("4");
  await giveBack("1");
  expect(answers.slice(3)).toEqual(["4 thing ended"]);
  await ask("2");
  expect(answers.at(-1)).toBe("2 thing held");
});

it("gives a lock to whoever finds it taken while its holder ends", async () => {
  const store = createLockStore(database);
  await ask("1");
  const racing: typeof store = {
    ...store,
    async acquire(request) {
      const answer = await store.acquire(request);
      const holder = await runOf("1");
      if (answer.kind === "taken" && holder.state !== "finished") await finish("1");
      return answer;
    },
  };
  locks = new Locks({ store: racing, clock, releases: { current: async () => release([]) } });
  expect(await locks.acquire(await runOf("2"), KEY, wait)).toMatchObject({ kind: "held" });
});

it("keeps nobody in line whom it could not look up", async () => {
  const store = createLockStore(database);
  const heldBy = () => Promise.reject(new AlError("disk I/O error", { code: "x", blame: "bug" }));
  await ask("1");
  locks = new Locks({ store: { ...store, heldBy }, clock, releases: { current } });
  await ask("2", KEY, wait);
  expect(answers).toEqual(["1 thing held", "2 thing x"]);
  await giveBack("1");
  expect(await locks.list()).toEqual([]);
});

it("looks now and then after a line whose lock is held for longer than a timer can wait", async () => {
  const store = createLockStore(database);
  let asked = 0;
  const acquire: typeof store.acquire = (request) => {
    asked += 1;
    return store.acquire(request);
  };
  // As Node does with a timer of more than that.
  const sleep: Clock["sleep"] = (ms, signal) => clock.sleep(ms < 2 ** 31 ? ms : 1, signal);
  const timers = { now: () => clock.now(), sleep };
  locks = new Locks({ store: { ...store, acquire }, clock: timers, releases: { current } });
  await ask("1", KEY, { ttlSeconds: 30 * DAY_SECONDS });
  await ask("2", KEY, { waitSeconds: 20 * DAY_SECONDS });
  asked = 0;
  await clock.advance(100);
  expect(asked).toBe(0);
  await clock.advance(19 * DAY_SECONDS * 1000);
  expect(asked).toBe(19);
});

it("gives no lock to a run that is over", async () => {
  const over = await runOf("1");
  await finish("1");
  expect(await locks.acquire(over, KEY)).toEqual({ kind: "ended" });
  expect(await locks.list()).toEqual([]);
});

it("takes no more than eight places for a run", async () => {
  await ask("1");
  for (let n = 0; n < 9; n += 1) await ask("2", KEY, wait);
  expect(answers).toEqual(["1 thing held", "2 thing taken"]);
  await giveBack("1");
  expect(answers.slice(2)).toEqual(Array(8).fill("2 thing held"));
});

it.each([
  ["when it stops", () => locks.stop()],
  [
    "when another runtime is live",
    async () => {
      live = false;
      await clock.advance(10_000);
    },
  ],
])("tells those who wait %s", async (_when, end) => {
  await ask("1", KEY, { ttlSeconds: 10 });
  await ask("2", KEY, wait);
  await end();
  await settle();
  expect(answers).toEqual(["1 thing held", "2 thing not-serving"]);
});

/** One thing that may happen. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant("ask" as const),
    run: fc.constantFrom(...RUNS),
    key: fc.constantFrom("a", "b"),
    waitSeconds: fc.constantFrom(0, 5, 300),
  }),
  fc.record({
    kind: fc.constant("give" as const),
    run: fc.constantFrom(...RUNS),
    key: fc.constantFrom("a", "b"),
  }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(1000, 6000) }),
);

it("leaves no free lock to those who wait, and none who waits holds one, whatever happens", async () => {
  const steps = fc.array(step, { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      closeAll();
      await openAll();
      for (const each of all) {
        if (each.kind === "ask") {
          const { waitSeconds } = each;
          await ask(each.run, each.key, { waitSeconds, ttlSeconds: 7 });
        } else if (each.kind === "give") await giveBack(each.run, each.key);
        else await clock.advance(each.ms);
        const held = await locks.list();
        const holders = held.map(({ run }) => run);
        expect(new Set(holders).size).toBe(holders.length);
        for (const { id, key } of pending) {
          expect(holders).not.toContain(id);
          expect(held.map(({ resourceKey }) => resourceKey)).toContain(key);
        }
      }
      const asked = all.filter(({ kind }) => kind === "ask").length;
      await clock.advance(400_000);
      expect(answers).toHaveLength(asked);
    }),
    { numRuns: 60 },
  );
});
