import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../base/clock.ts";
import type { EventHub } from "../gateway/event-hub.ts";
import { createRunStorage } from "../state/run-storage.ts";
import { tellingLocks, tellingReceipts, tellingRuns, tellingSignals } from "./telling-stores.ts";

/** What a runtime remembers in its database; each tells of what it stored. `clock` is that of locks. */
export function openStores(
  database: DatabaseSync,
  { emit, clock }: { readonly emit: EventHub["emit"]; readonly clock: Clock },
) {
  const storage = createRunStorage(database);
  const { runs, locks, receipts, signals } = storage;
  return {
    ...storage,
    runs: tellingRuns(runs, { emit, locks, now: () => clock.now() }),
    locks: tellingLocks(locks, { emit, runs }),
    receipts: tellingReceipts(receipts, emit),
    signals: tellingSignals(signals, emit),
  };
}
