import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../base/clock.ts";
import type { EventHub } from "../gateway/event-hub.ts";
import { createLockStore } from "../state/lock-store.ts";
import { createRunStore } from "../state/run-store.ts";
import { createSignalStore } from "../state/signal-store.ts";
import { createWebhookReceipts } from "../state/webhook-receipts.ts";
import { tellingLocks, tellingReceipts, tellingRuns, tellingSignals } from "./telling-stores.ts";

/** What a runtime remembers in its database; each tells of what it stored. `clock` is that of locks. */
export function openStores(
  database: DatabaseSync,
  { emit, clock }: { readonly emit: EventHub["emit"]; readonly clock: Clock },
) {
  const runs = createRunStore(database);
  const locks = createLockStore(database);
  const receipts = createWebhookReceipts(database, runs.enqueue);
  return {
    runs: tellingRuns(runs, { emit, locks, now: () => clock.now() }),
    locks: tellingLocks(locks, { emit, runs }),
    receipts: tellingReceipts(receipts, emit),
    signals: tellingSignals(createSignalStore(database), emit),
  };
}
