import type { Clock } from "../base/clock.ts";
import { findAllOwn } from "./find-own.ts";
import { itemName } from "./machine-tags.ts";
import type { MachineProvider, MachineRecords } from "./ports.ts";

/** What {@link releaseMachine} works with. */
export interface ReleaseMachineDeps {
  readonly provider: Pick<
    MachineProvider,
    "findMachines" | "deleteMachine" | "removeFirewall" | "removeSshKey"
  >;
  readonly records: MachineRecords;
  readonly clock: Clock;
}

/** Whose machines go. */
export interface Release {
  readonly project: string;
  readonly host: string;
  /** Another operator has a machine of this host: its firewall and key stay. Default false. */
  readonly isShared?: boolean;
}

/**
 * Gives back every machine our attempts made for a host, then its firewall and key unless a machine that
 * we did not order needs them, then forgets it. The machines' data is lost. Whatever cuts it off, calling
 * it again finishes; without a record it touches no machine.
 */
export async function releaseMachine(
  { project, host, isShared = false }: Release,
  { provider, records, clock }: ReleaseMachineDeps,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { attempts = [], machine: settled } = records.machineRecord(host) ?? {};
  const { own, strangers } = await findAllOwn(provider, { project, host, attempts, clock, signal });
  const ids = new Set([...(settled ? [settled.id] : []), ...own.map(({ id }) => id)]);
  for (const id of ids) await provider.deleteMachine(id, { signal });
  if (!isShared && strangers.every(({ id }) => ids.has(id))) {
    const name = itemName({ project, host });
    await provider.removeFirewall(name, { signal });
    await provider.removeSshKey(name, { signal });
  }
  records.forgetMachine(host);
}
