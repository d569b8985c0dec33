import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { createMemoryRunStore } from "../schedule/memory-run-store.ts";
import { runStoreSuite } from "./run-store-suite.ts";

describe("the SQLite run store", () => {
  runStoreSuite(() => createRunStore(openDatabase(":memory:", RUN_MIGRATIONS)));
});

describe("the run store in memory", () => {
  runStoreSuite(createMemoryRunStore);
});

it("sums what runs of the version before have cost, and those that it writes after a rollback", async () => {
  const directory = mkdtempSync(join(tmpdir(), "al-cost-"));
  const path = join(directory, "state.db");
  const before = RUN_MIGRATIONS.findIndex((sql) => sql.includes("ADD COLUMN cost"));
  const insert = `INSERT INTO runs (id, agent, trigger, state, created_at, started_at, reruns, usage)
                  VALUES (?, 'dev', '{"kind":"manual"}', 'finished', 1, 1, 0, ?)`;
  const usages = [`{"cost":1.5}`, `{"cost":2}`, "{", `{"cost":"much"}`, null];
  const old = openDatabase(path, RUN_MIGRATIONS.slice(0, before));
  for (const [id, usage] of usages.entries()) old.prepare(insert).run(String(id), usage);
  old.close();
  openDatabase(path, RUN_MIGRATIONS).close();
  const database = openDatabase(path, RUN_MIGRATIONS.slice(0, before));
  for (const [id, usage] of usages.entries()) database.prepare(insert).run(`0${id}`, usage);
  expect(await createRunStore(database).usedSince("dev", 1)).toEqual({ runs: 10, cost: 7 });
  database.close();
  rmSync(directory, { recursive: true });
});
