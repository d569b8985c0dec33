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

/**
 * Gives back every machine our attempts made for a host, then its firewall and key, then forgets it.
 * The machines' data is lost. Whatever cuts it off, calling it again finishes; without a record it
 * touches no machine.
 */
export async function releaseMachine(
  { project, host }: { readonly project: string; readonly host: string },
  { provider, records, clock }: ReleaseMachineDeps,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const record = records.machineRecord(host);
  if (record) {
    const search = { project, host, attempts: record.attempts, clock, signal };
    const { own } = await findAllOwn(provider, search);
    const ids = new Set([
      ...(record.machine ? [record.machine.id] : []),
      ...own.map(({ id }) => id),
    ]);
    for (const id of ids) await provider.deleteMachine(id, { signal });
  }
  const name = itemName({ project, host });
  await provider.removeFirewall(name, { signal });
  await provider.removeSshKey(name, { signal });
  records.forgetMachine(host);
}
