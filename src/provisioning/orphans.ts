import { type AlError, toAlError } from "../base/errors.ts";
import { compareText } from "../core/fingerprint.ts";
import type { Machine, MachineRecord, NamedItem } from "../core/machine.ts";
import { hostOfItem, type MachineOwner, ownerOf, projectTag } from "./machine-tags.ts";
import type { MachineProvider, MachineRecords } from "./ports.ts";

/** Something of this project at the provider that no host has. */
export type Orphan =
  | {
      readonly kind: "machine";
      readonly host: string;
      readonly machine: Machine;
      /**
       * - `surplus`: an attempt of ours made it, and another machine was settled on.
       * - `unknown`: nobody here knows of it; another operator may.
       * - `left`: it was ordered here, for a host that fleet.toml no longer asks for.
       */
      readonly why: "surplus" | "unknown" | "left";
    }
  /** An order of ours for such a host, of which nothing is at the provider, yet or any more. */
  | { readonly kind: "order"; readonly host: string }
  | { readonly kind: "firewall" | "ssh-key"; readonly host: string; readonly item: NamedItem };

/** What is not an orphan. */
export interface Kept {
  readonly project: string;
  /** Hosts of fleet.toml; their firewalls and keys stay. */
  readonly hosts: readonly string[];
  /** Those of them that are to have a machine. */
  readonly machineHosts: readonly string[];
  /** Instance ids of fleet.lock.toml: machines that other operators made known. */
  readonly machineIds: readonly string[];
}

type Provider = Pick<
  MachineProvider,
  | "findMachines"
  | "deleteMachine"
  | "listFirewalls"
  | "removeFirewall"
  | "listSshKeys"
  | "removeSshKey"
>;

interface Deps {
  readonly provider: Provider;
  readonly records: Pick<MachineRecords, "machineRecords">;
}

/** What was ordered for a host that fleet.toml no longer asks for. */
export interface LeftOrder {
  readonly host: string;
  /** Undefined while it is not known what came of the order. */
  readonly instanceId: string | undefined;
}

/** What nobody gave back when its host left fleet.toml; `machineHosts` as in {@link Kept}. Asks no provider. */
export function leftOrders(
  machineHosts: readonly string[],
  records: Pick<MachineRecords, "machineRecords">,
): readonly LeftOrder[] {
  return records.machineRecords().flatMap(({ host, attempts, machine }) => {
    const isLeft = !machineHosts.includes(host) && (machine !== undefined || attempts.length > 0);
    return isLeft ? [{ host, instanceId: machine?.id }] : [];
  });
}

/**
 * What this project left at the provider, by kind, host and id; changes nothing. A host of fleet.toml with
 * a record that has not settled on a machine has none here: calling `ensureMachine` again settles it.
 */
export async function findOrphans(
  kept: Kept,
  { provider, records }: Deps,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly Orphan[]> {
  const tagged = await provider.findMachines(projectTag(kept.project), { signal });
  const found = tagged.flatMap((machine): FoundMachine[] => {
    const owner = ownerOf(machine);
    return owner?.project === kept.project ? [{ machine, owner }] : [];
  });
  const known = records.machineRecords();
  const machines = found.flatMap((one) => machineOrphan(one, kept, known));
  const orphaned = new Set(machines.map(({ machine }) => machine.id));
  const staying = found.filter(({ machine }) => !orphaned.has(machine.id));
  const hosts = new Set([
    ...kept.hosts,
    ...known.map(({ host }) => host),
    ...staying.map(({ owner }) => owner.host),
  ]);
  const left = (kind: "firewall" | "ssh-key", items: readonly NamedItem[]) =>
    items.flatMap((item): Orphan[] => {
      const host = hostOfItem(kept.project, item.name);
      return host === undefined || hosts.has(host) ? [] : [{ kind, host, item }];
    });
  const seen = new Set(machines.flatMap(({ why, host }) => (why === "left" ? [host] : [])));
  const orders = leftOrders(kept.machineHosts, records).filter(({ host }) => !seen.has(host));
  return [
    ...machines,
    ...orders.map(({ host }): Orphan => ({ kind: "order", host })),
    ...left("firewall", await provider.listFirewalls({ signal })),
    ...left("ssh-key", await provider.listSshKeys({ signal })),
  ].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || compareText(a.host, b.host));
}

interface FoundMachine {
  readonly machine: Machine;
  readonly owner: MachineOwner;
}

function machineOrphan(
  { machine, owner: { host, nonce } }: FoundMachine,
  { machineHosts, machineIds }: Kept,
  known: readonly MachineRecord[],
): Extract<Orphan, { kind: "machine" }>[] {
  const record = known.find((one) => one.host === host);
  const isOurs = record?.attempts.some((one) => one.nonce === nonce) ?? false;
  const isChosen = isOurs && (!record?.machine || record.machine.id === machine.id);
  if (isChosen) {
    return machineHosts.includes(host) ? [] : [{ kind: "machine", host, machine, why: "left" }];
  }
  if (machineIds.includes(machine.id)) return [];
  return [{ kind: "machine", host, machine, why: isOurs ? "surplus" : "unknown" }];
}

/** Machines first: a firewall in use cannot go. */
const ORDER: readonly Orphan["kind"][] = ["machine", "order", "firewall", "ssh-key"];

/** Something that may go without its host's `al deprovision`, which also empties the machine. */
export type RemovableOrphan = Exclude<Orphan, { readonly kind: "order" }>;

/** False for what was ordered here, for a host that left fleet.toml. */
export function isRemovable(orphan: Orphan): orphan is RemovableOrphan {
  return orphan.kind === "machine" ? orphan.why !== "left" : orphan.kind !== "order";
}

/** One that could not be removed. */
export interface KeptOrphan {
  readonly orphan: RemovableOrphan;
  readonly error: AlError;
}

/**
 * Removes exactly these, which {@link findOrphans} found and somebody agreed to, each whatever becomes
 * of the others. Idempotent.
 * @returns those that could not be removed.
 */
export async function removeOrphans(
  orphans: readonly RemovableOrphan[],
  provider: Provider,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly KeptOrphan[]> {
  const kept: KeptOrphan[] = [];
  for (const orphan of orphans) {
    try {
      await removeOrphan(orphan, provider, signal);
    } catch (thrown) {
      signal?.throwIfAborted();
      kept.push({ orphan, error: toAlError(thrown) });
    }
  }
  return kept;
}

async function removeOrphan(
  orphan: RemovableOrphan,
  provider: Provider,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (orphan.kind === "machine") await provider.deleteMachine(orphan.machine.id, { signal });
  else if (orphan.kind === "firewall") await provider.removeFirewall(orphan.item.name, { signal });
  else await provider.removeSshKey(orphan.item.name, { signal });
}
