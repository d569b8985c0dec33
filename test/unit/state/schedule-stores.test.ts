import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { HoldStore, TickStore } from "../../../src/schedule/ports.ts";
import { createHoldStore } from "../../../src/state/hold-store.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { createTickStore } from "../../../src/state/tick-store.ts";
import {
  createMemoryHoldStore,
  createMemoryTickStore,
} from "../schedule/memory-schedule-stores.ts";

const memory = () => openDatabase(":memory:", RUN_MIGRATIONS);
const holdStores: [string, () => HoldStore][] = [
  ["SQLite", () => createHoldStore(memory())],
  ["memory", createMemoryHoldStore],
];
const tickStores: [string, () => TickStore][] = [
  ["SQLite", () => createTickStore(memory())],
  ["memory", createMemoryTickStore],
];

describe.each(holdStores)("holds in %s", (_name, open) => {
  it("keeps the first of a kind, and who set it", async () => {
    const store = open();
    expect(await store.put({ kind: "paused" }, { since: 1, by: "ann" })).toEqual({
      ...{ since: 1, by: "ann" },
    });
    expect(await store.put({ kind: "paused" }, { since: 2 })).toEqual({ since: 1, by: "ann" });
    expect(await store.list()).toEqual([{ kind: "paused", hold: { since: 1, by: "ann" } }]);
  });

  it("tells the scheduler, agents and kinds apart, and lifts one of them", async () => {
    const store = open();
    await store.put({ kind: "paused", agent: "dev" }, { since: 1 });
    await store.put({ kind: "disabled", agent: "dev" }, { since: 2 });
    await store.put({ kind: "paused" }, { since: 3 });
    await store.put({ kind: "paused", agent: "clerk" }, { since: 4 });
    expect(await store.lift({ kind: "paused", agent: "dev" })).toBe(true);
    expect(await store.lift({ kind: "paused", agent: "dev" })).toBe(false);
    expect(await store.list()).toEqual([
      { kind: "disabled", agent: "dev", hold: { since: 2 } },
      { kind: "paused", hold: { since: 3 } },
      { kind: "paused", agent: "clerk", hold: { since: 4 } },
    ]);
  });
});

describe.each(tickStores)("places of schedules in %s", (_name, open) => {
  it("are those of one schedule, and of the last one noted", async () => {
    const store = open();
    expect(await store.handledUntil("dev", "UTC a")).toBeUndefined();
    await store.handled("dev", { schedule: "UTC a", until: 1 });
    await store.handled("dev", { schedule: "UTC a", until: 5 });
    expect(await store.handledUntil("dev", "UTC a")).toBe(5);
    expect(await store.handledUntil("dev", "UTC b")).toBeUndefined();
    await store.handled("dev", { schedule: "UTC b", until: 7 });
    expect(await store.handledUntil("dev", "UTC a")).toBeUndefined();
  });

  it("are forgotten with their agents", async () => {
    const store = open();
    for (const agent of ["a", "b", "c"]) await store.handled(agent, { schedule: "x", until: 1 });
    await store.keep(new Set(["b", "d"]));
    const places = ["a", "b", "c", "d"].map((agent) => store.handledUntil(agent, "x"));
    expect(await Promise.all(places)).toEqual([undefined, 1, undefined, undefined]);
  });
});

it("a database of the version before gets what the scheduler needs, and keeps its runs", async () => {
  const directory = mkdtempSync(join(tmpdir(), "al-schema-"));
  const path = join(directory, "state.db");
  const before = RUN_MIGRATIONS.findIndex((sql) => sql.includes("CREATE TABLE holds"));
  const old = openDatabase(path, RUN_MIGRATIONS.slice(0, before));
  const trigger = `{"kind":"call","caller":"dev","callerRun":"0","depth":1}`;
  old.exec(`INSERT INTO runs (id, agent, trigger, state, created_at, reruns)
            VALUES ('1', 'clerk', '${trigger}', 'queued', 1, 0)`);
  old.close();
  const database = openDatabase(path, RUN_MIGRATIONS);
  const store = createRunStore(database);
  expect((await store.heads()).map(({ id }) => id)).toEqual(["1"]);
  expect((await store.calledBy("0")).map(({ id }) => id)).toEqual(["1"]);
  // As a runtime of the version before writes, after a rollback.
  database.exec(`INSERT INTO runs (id, agent, trigger, state, created_at, reruns)
                 VALUES ('2', 'dev', '{"kind":"manual"}', 'queued', 1, 0)`);
  expect((await store.heads()).map(({ id }) => id)).toEqual(["1", "2"]);
  database.close();
  rmSync(directory, { recursive: true });
});
