import type { Clock } from "../base/clock.ts";
import type { Machine, MachineRecord } from "../core/machine.ts";
import { findOwn, getPatiently } from "./find-own.ts";
import type { MachineProvider } from "./ports.ts";

/** What giving back a host's machine comes to. */
export interface ReleasePlan {
  /** The one that was settled on; undefined where none was, or where its provider has it no more. */
  readonly machine: Machine | undefined;
  /**
   * Ids of the host's machines that were not ordered from here. They stay, and so do the firewall and
   * what fleet.lock.toml says of them.
   */
  readonly others: readonly string[];
}

/**
 * Looks what there is of a host at its provider; changes nothing. Where no machine was settled on, the
 * one of fleet.lock.toml (`lockedId`) is another operator's.
 */
export async function planRelease(
  { project, lockedId }: { readonly project: string; readonly lockedId: string | undefined },
  { host, attempts, machine: settled }: MachineRecord,
  {
    provider,
    clock,
  }: {
    readonly provider: Pick<MachineProvider, "findMachines" | "getMachine">;
    readonly clock: Clock;
  },
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ReleasePlan> {
  const found = await findOwn(provider, { project, host, attempts, signal });
  const others = new Set(found.strangers.map(({ id }) => id));
  if (settled) {
    others.delete(settled.id);
    const machine = await getPatiently(provider, settled.id, { clock, signal });
    return { machine, others: [...others] };
  }
  const isOwn = found.own.some(({ id }) => id === lockedId);
  if (lockedId !== undefined && !isOwn) others.add(lockedId);
  return { machine: undefined, others: [...others] };
}
