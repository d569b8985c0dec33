import type { Clock } from "../base/clock.ts";
import { mapBounded } from "../base/concurrency.ts";
import { toAlError } from "../base/errors.ts";
import { findOwnPatiently, getPatiently } from "./find-own.ts";
import type { HostProvision, LockedFacts } from "./host-provision.ts";
import { planReadyHost } from "./plan-ready-host.ts";
import type { HostKeyApprovals, MachineProvider, MachineRecords } from "./ports.ts";
import type { HostOrder } from "./provision-host.ts";

const PARALLEL = 4;

/** What {@link planProvision} works with. */
export interface PlanProvisionDeps {
  readonly provider: Pick<
    MachineProvider,
    "checkChoice" | "findMachines" | "getMachine" | "firewallDifference"
  >;
  readonly records: Pick<MachineRecords, "machineRecord">;
  readonly approvals: Pick<HostKeyApprovals, "isApproved">;
  readonly clock: Clock;
  /** What fleet.lock.toml says, by host. */
  readonly locked: ReadonlyMap<string, LockedFacts>;
}

/** What provisioning these hosts would do; changes nothing, here or at the provider. */
export async function planProvision(
  orders: readonly HostOrder[],
  deps: PlanProvisionDeps,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly HostProvision[]> {
  return mapBounded(orders, PARALLEL, (order) => planHost(order, deps, options));
}

async function planHost(
  order: HostOrder,
  { provider, records, approvals, locked: all, clock }: PlanProvisionDeps,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<HostProvision> {
  const { host, project } = order;
  const locked = all.get(host);
  const { attempts = [], machine } = records.machineRecord(host) ?? {};
  if (machine) {
    const { id: instanceId, nonce, ownKey: hostKey } = machine;
    const isReady = hostKey !== undefined && approvals.isApproved(host, hostKey);
    if (!isReady) return { kind: "continue", order, plan: undefined };
    const user = attempts.find((one) => one.nonce === nonce)?.user;
    return planReadyHost({ order, instanceId, hostKey, user, locked }, provider, options);
  }
  if (locked?.instanceId !== undefined && attempts.length === 0) {
    const { instanceId } = locked;
    const found = await getPatiently(provider, instanceId, { clock, ...options });
    return { kind: "elsewhere", order, instanceId, isGone: found === undefined };
  }
  if (attempts.length > 0) {
    // What was ordered needs no plan in stock any more.
    const search = { project, host, attempts, clock, ...options };
    const { own } = await findOwnPatiently(provider, search);
    if (own.length > 0) return { kind: "continue", order, plan: undefined };
  }
  try {
    const plan = await provider.checkChoice(order.machine, options);
    return { kind: attempts.length > 0 ? "continue" : "create", order, plan };
  } catch (thrown) {
    const error = toAlError(thrown);
    // A key that is refused, or a provider that is away, concerns no single host.
    if (error.blame !== "user" || error.code === "provider-key-refused") throw error;
    return { kind: "refused", order, error };
  }
}
