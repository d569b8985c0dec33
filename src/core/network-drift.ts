import { bridgeName, isStanding } from "./names.ts";
import type { NetworkSpec, ObservedHost } from "./observed.ts";
import { chooseNetwork, isOwnSubnet, isSubnetFree } from "./subnet.ts";

/** Why the network of our name is not as we make it, or undefined when it is, or is not there. */
export function networkFlaw(project: string, observed: ObservedHost): string | undefined {
  const { network, networkTraits } = observed;
  if (!network) return undefined;
  const { driver = "bridge", betweenContainers = false, internal = false } = networkTraits ?? {};
  if (driver !== "bridge") return `its driver is ${driver} instead of bridge`;
  if (betweenContainers) return "containers may reach each other in it";
  if (internal) return "it has no way out";
  const bridge = bridgeName(project);
  if (network.bridge !== bridge) return `its bridge is ${network.bridge} instead of ${bridge}`;
  if (!isOwnSubnet(network)) return `its subnet ${network.subnet || "none"} is none of ours`;
  return undefined;
}

/** Names of what would keep a network from being removed, and must not be stopped for it. */
export function networkUsers({ containers, neighbours }: ObservedHost): readonly string[] {
  const active = ["running", "paused", "restarting"];
  const own = containers
    .filter(({ role, state }) => !isStanding(role) && active.includes(state))
    .map(({ name }) => name);
  return [...own, ...neighbours].sort();
}

/** Why the network is to be made anew now; while a run or somebody else uses it, it is left alone. */
export function explainReplacedNetwork(
  project: string,
  observed: ObservedHost,
): string | undefined {
  const flaw = networkFlaw(project, observed);
  return flaw !== undefined && networkUsers(observed).length === 0 ? flaw : undefined;
}

/**
 * The network to have: the one that is there, if it stays; else the recorded one, if its subnet is
 * still free; else a free one.
 */
export function resolveNetwork(project: string, observed: ObservedHost): NetworkSpec {
  const { network, subnets, current, inventory } = observed;
  const replaced = explainReplacedNetwork(project, observed) !== undefined;
  if (network && !replaced) return network;
  const taken = network ? subnets.filter((subnet) => subnet !== network.subnet) : subnets;
  const recorded = current?.network ?? inventory.confirmed?.network;
  const bridge = bridgeName(project);
  const usable = recorded && isOwnSubnet(recorded) && recorded.bridge === bridge;
  if (usable && isSubnetFree(recorded.subnet, taken)) return recorded;
  return chooseNetwork(project, taken);
}
