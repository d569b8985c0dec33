import { AlError } from "../base/errors.ts";
import type { FleetSpec } from "./desired.ts";
import { compareText } from "./fingerprint.ts";
import { isEligible } from "./placement.ts";
import { labelsText } from "./placement-reason.ts";

/** Which hosts a command is about; nothing given means all of them. */
export interface HostSelection {
  /** Names, joined by OR; any host when empty. */
  readonly hosts: readonly string[];
  /** Labels a host must have, joined by AND with each other and with the names. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A fleet cut down to the selected hosts. */
export interface SelectedFleet {
  /** Only the selected hosts, and the placements that concern them. */
  readonly fleet: FleetSpec;
  /** Sorted names of the hosts that are not in it. */
  readonly leftOut: readonly string[];
}

/** The part of a fleet that was asked for. @throws AlError `unknown-host`, `no-host-selected`. */
export function selectHosts(fleet: FleetSpec, { hosts, labels }: HostSelection): SelectedFleet {
  const known = fleet.hosts.map(({ address }) => address.host);
  const unknown = [...new Set(hosts)].filter((host) => !known.includes(host)).sort(compareText);
  if (unknown.length > 0) throw unknownHosts(unknown, known);
  const wanted = { replicas: 1, labels, ...(hosts.length > 0 && { hosts }) };
  const selected = fleet.hosts.filter(({ address }) => isEligible(address, wanted));
  if (selected.length === 0 && known.length > 0) throw nothingSelected({ hosts, labels }, known);
  const names = new Set(selected.map(({ address }) => address.host));
  const concerned = fleet.placements.filter(
    (placement) => selected.length === known.length || placement.hosts.some((on) => names.has(on)),
  );
  return {
    fleet: { ...fleet, hosts: selected, placements: concerned },
    leftOut: known.filter((host) => !names.has(host)),
  };
}

function unknownHosts(unknown: readonly string[], known: readonly string[]): AlError {
  const what = unknown.length === 1 ? "there is no host" : "there are no hosts";
  return new AlError(`${what} ${unknown.join(", ")} in this fleet`, {
    code: "unknown-host",
    blame: "user",
    hint: known.length > 0 ? `Hosts: ${known.join(", ")}` : "The fleet has no hosts.",
  });
}

function nothingSelected({ hosts, labels }: HostSelection, known: readonly string[]): AlError {
  const having = `the labels ${labelsText(labels)}`;
  const message =
    hosts.length > 0 ? `none of ${hosts.join(", ")} has ${having}` : `no host has ${having}`;
  return new AlError(message, {
    code: "no-host-selected",
    blame: "user",
    hint: `Hosts: ${known.join(", ")}; their labels are in fleet.toml.`,
  });
}
