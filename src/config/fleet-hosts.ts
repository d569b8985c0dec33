import { compareText } from "../core/fingerprint.ts";
import { MACHINE_SSH_PORT, MACHINE_USER, type MachineSpec } from "../core/machine.ts";
import type { HostInput } from "../core/project-input.ts";
import type { KnownHosts } from "./agent-placement.ts";
import type { FleetFile, FleetHost, FleetLockFile, LockedHost } from "./fleet-file.ts";
import { machineSpec } from "./host-provider.ts";
import type { Problem } from "./problems.ts";
import type { TomlFile } from "./toml-file.ts";

/** The hosts of fleet.toml, their addresses completed from fleet.lock.toml. */
export interface FleetHosts {
  /** Sorted by name. A host that is not provisioned yet has an empty address. */
  readonly hosts: readonly HostInput[];
  /** What hosts ask of their providers, by name. */
  readonly machines: ReadonlyMap<string, MachineSpec>;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Fills in defaults and checks what concerns several hosts, or both files. */
export function fleetHosts(
  fleet: TomlFile<FleetFile> | undefined,
  lock: TomlFile<FleetLockFile>,
): FleetHosts {
  const locked = new Map(Object.entries(lock.value?.hosts ?? {}));
  if (!fleet?.value) return { hosts: [], machines: new Map(), problems: [], warnings: [] };
  const { defaults, rollout } = fleet.value;
  const hosts = Object.entries(fleet.value.hosts).map(([name, host]): HostInput => {
    const { provider, labels } = host;
    const isMade = provider === "vultr";
    return {
      host: name,
      provider,
      ...(isMade ? madeAddress(host, defaults, locked.get(name)) : givenAddress(host, defaults)),
      architecture: isMade ? "amd64" : (host.architecture ?? defaults.architecture),
      labels,
      ...((host.drift ?? rollout.drift) === "report" ? { drift: "report" } : {}),
    };
  });
  const place = fleet.at;
  return {
    hosts: hosts.toSorted((a, b) => compareText(a.host, b.host)),
    machines: machinesOf(fleet.value),
    problems: sameMachine(hosts, { fleet: place, lock: lock.at }),
    warnings: [
      ...notProvisioned(hosts, place),
      ...otherUser(fleet.value, lock, place),
      ...lockedOnly(lock, fleet.value),
    ],
  };
}

function machinesOf({ hosts, defaults }: FleetFile): ReadonlyMap<string, MachineSpec> {
  return new Map(
    Object.entries(hosts).flatMap(([name, host]) => {
      const machine = machineSpec(host, wantedUser(host, defaults));
      return machine ? [[name, machine]] : [];
    }),
  );
}

type Defaults = FleetFile["defaults"];
type Reached = Pick<HostInput, "address" | "port" | "user">;

function givenAddress({ provider, address, port, user }: FleetHost, defaults: Defaults): Reached {
  return {
    address: address ?? (provider === "local" ? "localhost" : ""),
    port: port ?? defaults.port,
    user: user ?? defaults.user,
  };
}

/** Whom a machine that is made now gets. */
function wantedUser({ user }: FleetHost, defaults: Defaults): string {
  return user ?? (defaults.user === "root" ? MACHINE_USER : defaults.user);
}

/** A machine has the user it was made with, whatever fleet.toml says since. */
function madeAddress(host: FleetHost, defaults: Defaults, locked: LockedHost | undefined): Reached {
  return {
    address: locked?.address ?? "",
    port: locked?.port ?? MACHINE_SSH_PORT,
    user: locked?.user ?? wantedUser(host, defaults),
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

/** The address of a machine that we made is in fleet.lock.toml. */
function sameMachine(
  hosts: readonly HostInput[],
  at: { readonly fleet: Place; readonly lock: Place },
): Problem[] {
  const first = new Map<string, string>();
  return hosts.flatMap((host) => {
    if (host.address === "") return [];
    const machine = `${host.address.toLowerCase()} ${host.port}`;
    const other = first.get(machine);
    first.set(machine, other ?? host.host);
    if (other === undefined) return [];
    const message = `is the same machine as host \`${other}\``;
    const place = host.provider === "vultr" ? at.lock : at.fleet;
    return [{ ...place(["hosts", host.host, "address"]), message }];
  });
}

function notProvisioned(hosts: readonly HostInput[], at: Place): Problem[] {
  return hosts.flatMap(({ host, provider, address }) => {
    if (address !== "" || provider !== "vultr") return [];
    const message = "has no machine yet";
    return [{ ...at(["hosts", host]), message, hint: `run \`al provision ${host}\`` }];
  });
}

function otherUser(fleet: FleetFile, lock: TomlFile<FleetLockFile>, at: Place): Problem[] {
  return Object.entries(fleet.hosts).flatMap(([name, { provider, user }]) => {
    const made = lock.value?.hosts[name]?.user;
    if (provider !== "vultr" || user === undefined || made === undefined || user === made)
      return [];
    const message = `has no effect: the machine was made with user \`${made}\``;
    return [{ ...at(["hosts", name, "user"]), message }];
  });
}

function lockedOnly(lock: TomlFile<FleetLockFile>, fleet: FleetFile): Problem[] {
  return Object.keys(lock.value?.hosts ?? {}).flatMap((name) => {
    if (Object.hasOwn(fleet.hosts, name)) return [];
    return [{ ...lock.at(["hosts", name]), message: "no host of this name is in fleet.toml" }];
  });
}
