import type { HostAddress } from "./desired.ts";
import type { Inventory } from "./observed.ts";

/** A host as the controller last saw it: kept until it was cleaned or given up. */
export interface KnownHost {
  readonly address: HostAddress;
  readonly inventory: Inventory;
  /** Sorted names of the agents that were live there. */
  readonly agents: readonly string[];
}
