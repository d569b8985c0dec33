import { compareText } from "../core/fingerprint.ts";
import type { HostInput } from "../core/project-input.ts";
import type { KnownHosts } from "./agent-placement.ts";
import type { FleetFile, FleetLockFile } from "./fleet-file.ts";
import type { Problem } from "./problems.ts";
import type { TomlFile } from "./toml-file.ts";

/** The hosts of fleet.toml, their addresses completed from fleet.lock.toml. */
export interface FleetHosts {
  /** Sorted by name. A host that is not provisioned yet has an empty address. */
  readonly hosts: readonly HostInput[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Fills in defaults and checks what concerns several hosts, or both files. */
export function fleetHosts(
  fleet: TomlFile<FleetFile> | undefined,
  lock: TomlFile<FleetLockFile>,
): FleetHosts {
  const locked = lock.value?.hosts ?? {};
  if (!fleet?.value) return { hosts: [], problems: [], warnings: [] };
  const { defaults, rollout } = fleet.value;
  const hosts = Object.entries(fleet.value.hosts).map(([name, host]): HostInput => {
    const { provider, labels } = host;
    return {
      host: name,
      provider,
      address: host.address ?? (provider === "local" ? "localhost" : (locked[name]?.address ?? "")),
      port: host.port ?? defaults.port,
      user: host.user ?? defaults.user,
      architecture: host.architecture ?? defaults.architecture,
      labels,
      ...((host.drift ?? rollout.drift) === "report" ? { drift: "report" } : {}),
    };
  });
  const place = fleet.at;
  return {
    hosts: hosts.toSorted((a, b) => compareText(a.host, b.host)),
    problems: sameMachine(hosts, place),
    warnings: [...notProvisioned(hosts, place), ...lockedOnly(lock, fleet.value)],
  };
}

/** What agents may say of hosts, given the hosts that were read. */
export function knownHosts(
  fleet: TomlFile<FleetFile> | undefined,
  hosts: readonly HostInput[],
): KnownHosts {
  if (!fleet) return { kind: "none" };
  return fleet.value && fleet.isSound("hosts") ? { kind: "hosts", hosts } : { kind: "unsound" };
}

type Place = TomlFile<FleetFile>["at"];

function sameMachine(hosts: readonly HostInput[], at: Place): Problem[] {
  const first = new Map<string, string>();
  return hosts.flatMap((host) => {
    if (host.address === "") return [];
    const machine = `${host.address.toLowerCase()} ${host.port}`;
    const other = first.get(machine);
    first.set(machine, other ?? host.host);
    if (other === undefined) return [];
    const message = `is the same machine as host \`${other}\``;
    return [{ ...at(["hosts", host.host, "address"]), message }];
  });
}

function notProvisioned(hosts: readonly HostInput[], at: Place): Problem[] {
  return hosts.flatMap(({ host, address }) => {
    if (address !== "") return [];
    const message = "has no address yet";
    return [{ ...at(["hosts", host]), message, hint: "run `al provision`" }];
  });
}

function lockedOnly(lock: TomlFile<FleetLockFile>, fleet: FleetFile): Problem[] {
  return Object.keys(lock.value?.hosts ?? {}).flatMap((name) => {
    if (Object.hasOwn(fleet.hosts, name)) return [];
    return [{ ...lock.at(["hosts", name]), message: "no host of this name is in fleet.toml" }];
  });
}
