import type { WebhookReceipts } from "../../src/gateway/webhook-ports.ts";
import type { LockStore } from "../../src/schedule/locks.ts";
import type { HoldStore, RunStore, TickStore } from "../../src/schedule/ports.ts";
import type { RunUpkeep } from "../../src/schedule/run-upkeep.ts";
import type { SignalStore } from "../../src/schedule/signals.ts";

/** Everything that scheduler and gateway keep durably, behind their ports: what one process has of a store. */
export interface Storage {
  readonly runs: RunStore;
  readonly upkeep: RunUpkeep;
  readonly signals: SignalStore;
  readonly locks: LockStore;
  readonly receipts: WebhookReceipts;
  readonly holds: HoldStore;
  readonly ticks: TickStore;
}

/** A store, and processes that die on it. */
export interface StorageBench {
  /** Of the process that lives now. */
  storage(): Storage;
  /**
   * Begins a piece of work, and has its process die at the n-th change it makes, from 1 on, before that is
   * committed; `after` when the work was done earlier, and its process died then.
   */
  dieIn(work: () => Promise<unknown>, change: number): Promise<"inside" | "after">;
  dispose(): Promise<void>;
}
