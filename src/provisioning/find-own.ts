import type { Clock } from "../base/clock.ts";
import { compareText } from "../core/fingerprint.ts";
import type { Machine, MachineAttempt } from "../core/machine.ts";
import { ownerOf, projectTag } from "./machine-tags.ts";
import type { MachineProvider } from "./ports.ts";

/** A new machine may be invisible for a second; this is several times as long. */
const UNTIL_VISIBLE_MS = [1_000, 2_000, 4_000] as const;

/** The machines of one host, oldest first. */
export interface FoundMachines {
  /** Made by attempts of ours. */
  readonly own: readonly Machine[];
  /** Of this project and host, and made by nobody we know of. */
  readonly strangers: readonly Machine[];
}

/** What is looked for. */
export interface Search {
  readonly project: string;
  readonly host: string;
  readonly attempts: readonly MachineAttempt[];
  readonly signal?: AbortSignal | undefined;
}

/** Looks once for the machines of a host. */
export async function findOwn(
  provider: Pick<MachineProvider, "findMachines">,
  { project, host, attempts, signal }: Search,
): Promise<FoundMachines> {
  const nonces = new Set(attempts.map(({ nonce }) => nonce));
  const own: Machine[] = [];
  const strangers: Machine[] = [];
  for (const machine of await provider.findMachines(projectTag(project), { signal })) {
    const owner = ownerOf(machine);
    if (owner?.project !== project || owner.host !== host) continue;
    (nonces.has(owner.nonce) ? own : strangers).push(machine);
  }
  return { own: own.sort(byAge), strangers: strangers.sort(byAge) };
}

/** Looks several times, until something of ours shows or it would have shown. */
export async function findOwnPatiently(
  provider: Pick<MachineProvider, "findMachines">,
  search: Search & { readonly clock: Clock },
): Promise<FoundMachines> {
  let found = await findOwn(provider, search);
  for (const delayMs of UNTIL_VISIBLE_MS) {
    if (found.own.length > 0) return found;
    await search.clock.sleep(delayMs, search.signal);
    found = await findOwn(provider, search);
  }
  return found;
}

/** Waits until every machine that was ordered before is visible, then looks once. */
export async function findAllOwn(
  provider: Pick<MachineProvider, "findMachines">,
  search: Search & { readonly clock: Clock },
): Promise<FoundMachines> {
  await search.clock.sleep(UNTIL_VISIBLE_MS[1], search.signal);
  return findOwn(provider, search);
}

/** Oldest first; the same order for everybody who looks. */
export function byAge(a: Machine, b: Machine): number {
  return a.createdAtMs - b.createdAtMs || compareText(a.id, b.id);
}

/** A machine by its id; looks twice, since a new one may be invisible for a second. */
export async function getPatiently(
  provider: Pick<MachineProvider, "getMachine">,
  id: string,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
): Promise<Machine | undefined> {
  const machine = await provider.getMachine(id, { signal });
  if (machine) return machine;
  await clock.sleep(UNTIL_VISIBLE_MS[1], signal);
  return provider.getMachine(id, { signal });
}
