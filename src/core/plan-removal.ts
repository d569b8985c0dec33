import type { Architecture, HostSpec } from "./desired.ts";
import { treeHash } from "./fingerprint.ts";
import type { ObservedHost } from "./observed.ts";
import type { HostPlan } from "./plan.ts";
import { removalOrder, removeAction } from "./removals.ts";

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
 * then everything its inventory lists goes. Logs, state and what we do not own stay.
 */
export function planRemoval(host: string, revision: string, observed: ObservedHost): HostPlan {
  const { current, inventory } = observed;
  const reason = `host ${host} is no longer in fleet.toml`;
  const withdraw = current && {
    phase: "switch" as const,
    step: { kind: "withdraw" as const, container: current.runtime },
    reason,
  };
  const removals = [...inventory.items]
    .sort((a, b) => removalOrder(a) - removalOrder(b))
    .map((item) => removeAction(item, reason));
  return { host, revision, actions: [...(withdraw ? [withdraw] : []), ...removals], notes: [] };
}

/** Names of runs that are under way on a host. */
export function activeRuns({ containers }: ObservedHost): readonly string[] {
  return containers
    .filter(({ role, state }) => role === "run" && ["running", "paused"].includes(state))
    .map(({ name }) => name)
    .sort();
}
