import { compareText } from "./fingerprint.ts";
import { chainName } from "./names.ts";
import { type InventoryItem, ITEM_KINDS, type ObservedHost } from "./observed.ts";
import type { Action } from "./plan.ts";

/** Containers first: they hold what comes after them. */
export function removalOrder(item: InventoryItem): number {
  return ITEM_KINDS.indexOf(item.kind);
}

/** The action that deletes one thing of ours and takes it off the inventory; never before `after`. */
export function removeAction(item: InventoryItem, reason: string, after?: InventoryItem): Action {
  return { phase: "retire", step: { kind: "remove", item, ...(after && { after }) }, reason };
}

/**
 * Reference of the image that the network's rules are removed with: the base, which they were applied
 * with, or any other while there is one.
 */
export function rulesImage({ images }: Pick<ObservedHost, "images">): string | undefined {
  const references = images.map(({ reference }) => reference).sort(compareText);
  return references.find((one) => /\/base:/.test(one)) ?? references[0];
}

/** How the network's rules can be removed: with an image; not at all; or there are none. */
export type RulesRemoval =
  | { readonly kind: "with"; readonly image: string }
  | { readonly kind: "kept"; readonly reason: string }
  | { readonly kind: "none" };

/** Rules come with the first switch, for which every image is there; without any there are none, or no way. */
export function planRulesRemoval(project: string, observed: ObservedHost): RulesRemoval {
  const image = rulesImage(observed);
  if (image !== undefined) return { kind: "with", image };
  if (!observed.inventory.confirmed) return { kind: "none" };
  const chains = chainName(project, "FWD").replace("FWD", "*");
  const reason = `no image of the project is left to remove them with; delete the chains ${chains} with iptables or restart the host, and give it up: al host forget ${observed.host}`;
  return { kind: "kept", reason };
}
