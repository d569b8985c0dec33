import { join } from "node:path";
import { inOwnNetwork } from "./own-network.ts";

/** How a long queue is worked off. */
export interface LongQueue {
  readonly queued: number;
  /** Starts that were not of the oldest run that waited. */
  readonly outOfOrder: number;
  readonly seconds: number;
  /** Resident memory of the runtime, as a median over the first and over the last tenth of the starts. */
  readonly firstBytes: number;
  readonly lastBytes: number;
}

/** Queues so many runs of one agent behind one that does not end, then lets them go. */
export function measureLongQueue({ queued = 10_000 } = {}): Promise<LongQueue> {
  return inOwnNetwork(join(import.meta.dirname, "long-queue-process.ts"), [`${queued}`]);
}
