import type { DatabaseSync } from "node:sqlite";
import { createHoldStore } from "./hold-store.ts";
import { createLockStore } from "./lock-store.ts";
import { createRunStore } from "./run-store.ts";
import { createRunUpkeep } from "./run-upkeep.ts";
import { createSignalStore } from "./signal-store.ts";
import { createTickStore } from "./tick-store.ts";
import { createWebhookReceipts } from "./webhook-receipts.ts";

/**
 * Everything that scheduler and gateway keep durably, in one SQLite database with the tables of
 * `RUN_MIGRATIONS`. It passes `test/conformance/storage-suite.ts`, as any other storage has to.
 */
export function createRunStorage(database: DatabaseSync) {
  const runs = createRunStore(database);
  return {
    runs,
    upkeep: createRunUpkeep(database),
    signals: createSignalStore(database),
    locks: createLockStore(database),
    receipts: createWebhookReceipts(database, runs.enqueue),
    holds: createHoldStore(database),
    ticks: createTickStore(database),
  };
}
