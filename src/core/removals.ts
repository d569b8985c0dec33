import type { InventoryItem } from "./observed.ts";
import type { Action } from "./plan.ts";

/** Containers first: they hold what comes after them. */
export function removalOrder(item: InventoryItem): number {
  return ["container", "network", "image", "release", "credentials"].indexOf(item.kind);
}

/** The action that deletes one thing of ours and takes it off the inventory. */
export function removeAction(item: InventoryItem, reason: string): Action {
  return { phase: "retire", step: { kind: "remove", item }, reason };
}
