import { MACHINE_SSH_PORT, type Machine } from "../core/machine.ts";
import { machineGone } from "./ensure-machine.ts";
import type { HostProvision, LockedFacts, MachineDifference } from "./host-provision.ts";
import type { MachineProvider } from "./ports.ts";
import { firewallOf, type HostOrder } from "./provision-host.ts";

/** A host whose machine is ready, as far as it is known here. */
export interface KnownReady {
  readonly order: HostOrder;
  readonly instanceId: string;
  /** The host key that was approved. */
  readonly hostKey: string;
  /** Whom the machine was made with, where that is known. */
  readonly user: string | undefined;
  readonly locked: LockedFacts | undefined;
}

/** What there is to do for a host whose machine is ready; changes nothing. */
export async function planReadyHost(
  known: KnownReady,
  provider: Pick<MachineProvider, "getMachine" | "firewallDifference">,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<HostProvision> {
  const { order, instanceId } = known;
  const machine = await provider.getMachine(instanceId, { signal });
  if (!machine) return { kind: "refused", order, error: machineGone(order.host, instanceId) };
  const firewall = await provider.firewallDifference(firewallOf(order), { signal });
  const isOutside = !firewall.ids.some((id) => id === machine.firewallId);
  const isLockStale = !isLocked(known, machine);
  const ready = { order, instanceId, differs: machineDifferences(known, machine) };
  const isSettled = firewall.missing.length + firewall.extra.length === 0;
  if (isSettled && !isOutside && !isLockStale) return { kind: "ready", ...ready };
  return { kind: "update", ...ready, firewall, isOutside, isLockStale };
}

/** A machine has no address for a moment when it is started. */
function isLocked(
  { order, instanceId, hostKey, user = order.user, locked }: KnownReady,
  { address = locked?.address }: Machine,
): boolean {
  return (
    locked?.instanceId === instanceId &&
    locked.address === address &&
    locked.port === MACHINE_SSH_PORT &&
    locked.user === user &&
    locked.hostKey === hostKey
  );
}

function machineDifferences(
  { order, user = order.user }: KnownReady,
  machine: Machine,
): MachineDifference[] {
  const { region, plan, os, user: wantedUser = user } = order.machine;
  const found: readonly MachineDifference[] = [
    { field: "region", is: machine.region, wanted: region },
    { field: "plan", is: machine.plan, wanted: plan },
    { field: "os", is: machine.os ?? "another one", wanted: os },
    { field: "user", is: user, wanted: wantedUser },
  ];
  return found.filter(({ is, wanted }) => is !== wanted);
}
