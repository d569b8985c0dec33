import { compareText } from "../core/fingerprint.ts";
import type { Machine, NamedItem } from "../core/machine.ts";
import { hostOfItem, ownerOf, projectTag } from "./machine-tags.ts";
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
       */
      readonly why: "surplus" | "unknown";
    }
  | { readonly kind: "firewall" | "ssh-key"; readonly host: string; readonly item: NamedItem };

/** What is not an orphan. */
export interface Kept {
  readonly project: string;
  /** Hosts of fleet.toml; their firewalls and keys stay. */
  readonly hosts: readonly string[];
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

/**
 * What this project left at the provider, by kind, host and id; changes nothing. A host with a record
 * that has not settled on a machine has none here: calling `ensureMachine` again settles it.
 */
export async function findOrphans(
  kept: Kept,
  { provider, records }: Deps,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly Orphan[]> {
  const known = new Map(records.machineRecords().map((record) => [record.host, record]));
  const found = await provider.findMachines(projectTag(kept.project), { signal });
  const machines = found.flatMap((machine): Orphan[] => {
    const owner = ownerOf(machine);
    if (owner?.project !== kept.project || kept.machineIds.includes(machine.id)) return [];
    const { host } = owner;
    const record = known.get(host);
    const isOurs = record?.attempts.some(({ nonce }) => nonce === owner.nonce) ?? false;
    if (isOurs && (!record?.machine || record.machine.id === machine.id)) return [];
    return [{ kind: "machine", host, machine, why: isOurs ? "surplus" : "unknown" }];
  });
  const hosts = new Set([...kept.hosts, ...known.keys()]);
  const left = (kind: "firewall" | "ssh-key", items: readonly NamedItem[]) =>
    items.flatMap((item): Orphan[] => {
      const host = hostOfItem(kept.project, item.name);
      return host === undefined || hosts.has(host) ? [] : [{ kind, host, item }];
    });
  return [
    ...machines,
    ...left("firewall", await provider.listFirewalls({ signal })),
    ...left("ssh-key", await provider.listSshKeys({ signal })),
  ].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || compareText(a.host, b.host));
}

/** Machines first: a firewall in use cannot go. */
const ORDER: readonly Orphan["kind"][] = ["machine", "firewall", "ssh-key"];

/** Removes exactly these, which {@link findOrphans} found and somebody agreed to. Idempotent. */
export async function removeOrphans(
  orphans: readonly Orphan[],
  provider: Provider,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  for (const orphan of orphans) {
    if (orphan.kind === "machine") await provider.deleteMachine(orphan.machine.id, { signal });
    else if (orphan.kind === "firewall")
      await provider.removeFirewall(orphan.item.name, { signal });
    else await provider.removeSshKey(orphan.item.name, { signal });
  }
}
