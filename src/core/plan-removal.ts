import type { Architecture, HostSpec } from "./desired.ts";
import { treeHash } from "./fingerprint.ts";
import { foreignNotes, isOwnEntry } from "./foreign.ts";
import type { InventoryItem, ObservedHost } from "./observed.ts";
import type { HostPlan } from "./plan.ts";
import { removalOrder, removeAction, rulesImage } from "./removals.ts";

/** The host as it was asked for: by nothing. Steps of its removal are carried out with it. */
export function emptySpec(of: {
  readonly project: string;
  readonly host: string;
  readonly revision: string;
  readonly architecture: Architecture;
}): HostSpec {
  const release = { hash: treeHash([]), files: [] };
  const runtime = { image: "", imageSpecHash: "" };
  return { ...of, images: [], release, credentials: [], runtime };
}

/**
 * The actions that take a project off a host that is no longer in the fleet: nothing is live any more,
 * then everything its inventory lists goes, and the project's directory with its logs and state. The
 * network's rules outlast the network, since they fence in runs that are still under way, and the image
 * they are removed with outlasts them. What we do not own stays.
 */
export function planRemoval(host: string, revision: string, observed: ObservedHost): HostPlan {
  const { current, inventory, entries, temporary } = observed;
  const reason = `host ${host} is no longer in fleet.toml`;
  const withdraw = current && {
    phase: "switch" as const,
    step: { kind: "withdraw" as const, container: current.runtime },
    reason,
  };
  const sweep = { phase: "retire" as const, step: { kind: "sweep-runs" as const }, reason };
  const removals = [...inventory.items]
    .sort((a, b) => removalOrder(a) - removalOrder(b))
    .map((item) => removeAction(item, reason, mustGoBefore(item, observed)));
  const directory = {
    phase: "retire" as const,
    step: { kind: "remove-project" as const },
    reason,
  };
  const isThere = entries.some(isOwnEntry) || temporary.length > 0;
  const actions = [
    ...(withdraw ? [withdraw] : []),
    ...(removals.length > 0 ? [sweep, ...removals] : []),
    ...(isThere ? [directory] : []),
  ];
  return { host, revision, actions, notes: foreignNotes(observed, inventory) };
}

function mustGoBefore(item: InventoryItem, observed: ObservedHost): InventoryItem | undefined {
  const { items } = observed.inventory;
  const isRulesImage = item.kind === "image" && item.id === rulesImage(observed);
  if (isRulesImage) return items.find(({ kind }) => kind === "rules");
  return item.kind === "rules" ? items.find(({ kind }) => kind === "network") : undefined;
}

/** Names of runs that are under way on a host. */
export function activeRuns({ containers }: ObservedHost): readonly string[] {
  return containers
    .filter(({ role, state }) => role === "run" && ["running", "paused"].includes(state))
    .map(({ name }) => name)
    .sort();
}
