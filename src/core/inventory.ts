import { compareText } from "./fingerprint.ts";
import type { Inventory, InventoryItem } from "./observed.ts";

/** An inventory of these items, each once, in a fixed order. */
export function inventoryOf(items: readonly InventoryItem[]): Inventory {
  const byKey = new Map(items.map((item) => [itemKey(item), item]));
  const sorted = [...byKey.values()].sort((a, b) => compareText(itemKey(a), itemKey(b)));
  return { items: sorted };
}

/** What the first lists and the second does not. */
export function inventoryMinus(first: Inventory, second: Inventory): readonly InventoryItem[] {
  const keys = new Set(second.items.map(itemKey));
  return first.items.filter((item) => !keys.has(itemKey(item)));
}

/** The items of both, and the first one's confirmation. */
export function inventoryUnion(first: Inventory, second: Inventory): Inventory {
  const { confirmed } = first;
  return { ...inventoryOf([...first.items, ...second.items]), ...(confirmed && { confirmed }) };
}

/** The same without one item; used when that item has been deleted. */
export function inventoryWithout(inventory: Inventory, gone: InventoryItem): Inventory {
  const items = inventory.items.filter((item) => itemKey(item) !== itemKey(gone));
  return { ...inventory, items };
}

/** Whether it lists this. */
export function isListed(inventory: Inventory, item: InventoryItem): boolean {
  return inventory.items.some((one) => itemKey(one) === itemKey(item));
}

function itemKey(item: InventoryItem): string {
  return `${item.kind} ${item.id}`;
}
