import { describe } from "vitest";
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
