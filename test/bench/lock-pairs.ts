import { join } from "node:path";
import { inOwnNetwork } from "./own-network.ts";

/** What taking a lock and giving it back costs over HTTP, beside a bare hono with the same writes. */
export interface LockPairs {
  readonly pairs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bareP50Ms: number;
  readonly bareP99Ms: number;
}

/** A run takes and releases locks, one after the other. */
export function measureLockPairs(): Promise<LockPairs> {
  return inOwnNetwork(join(import.meta.dirname, "lock-pairs-process.ts"));
}
