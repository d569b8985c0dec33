import { join } from "node:path";
import { inOwnNetwork } from "./own-network.ts";

/** Memory of an idle runtime. */
export interface IdleMemory {
  /** All with a schedule, and listening to a webhook. */
  readonly agents: number;
  /** Resident memory of its process after it has settled. */
  readonly residentBytes: number;
  readonly peakBytes: number;
}

/** A runtime with many agents, of which none is due. */
export function measureIdleMemory(): Promise<IdleMemory> {
  return inOwnNetwork(join(import.meta.dirname, "idle-memory-process.ts"));
}
