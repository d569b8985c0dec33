import type { DatabaseSync } from "node:sqlite";
import { systemClock } from "../base/clock.ts";
import type { EventHub } from "../gateway/event-hub.ts";
import { createLockStore } from "../state/lock-store.ts";
import { createRunStore } from "../state/run-store.ts";
import { createSignalStore } from "../state/signal-store.ts";
import { createWebhookReceipts } from "../state/webhook-receipts.ts";
import { tellingLocks, tellingReceipts, tellingRuns, tellingSignals } from "./telling-stores.ts";

/** What a runtime remembers in its database; each tells of what it stored. */
export function openStores(database: DatabaseSync, emit: EventHub["emit"]) {
  const runs = createRunStore(database);
  const locks = createLockStore(database);
  const receipts = createWebhookReceipts(database, runs.enqueue);
  return {
    runs: tellingRuns(runs, { emit, locks, now: systemClock.now }),
    locks: tellingLocks(locks, { emit, runs }),
    receipts: tellingReceipts(receipts, emit),
    signals: tellingSignals(createSignalStore(database), emit),
  };
}
