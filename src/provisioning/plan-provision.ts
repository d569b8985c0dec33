import { mapBounded } from "../base/concurrency.ts";
import { type AlError, toAlError } from "../base/errors.ts";
import type { MachinePlan } from "../core/machine.ts";
import type { HostKeyApprovals, MachineProvider, MachineRecords } from "./ports.ts";
import type { HostOrder } from "./provision-host.ts";

const PARALLEL = 4;

/** What a provisioning would do for one host. */
export type HostProvision =
  /** A machine is ordered, and paid for from then on. */
  | { readonly kind: "create"; readonly order: HostOrder; readonly plan: MachinePlan }
  /** An earlier provisioning was cut off; the plan is absent where the machine is known already. */
  | { readonly kind: "continue"; readonly order: HostOrder; readonly plan: MachinePlan | undefined }
  /** It is ready; its firewall and what is known of it are brought up to date. */
  | { readonly kind: "update"; readonly order: HostOrder; readonly instanceId: string }
  /** fleet.lock.toml names a machine that nobody here ordered: another operator's work. */
  | { readonly kind: "elsewhere"; readonly order: HostOrder; readonly instanceId: string }
  /** What is asked for cannot be had. */
  | { readonly kind: "refused"; readonly order: HostOrder; readonly error: AlError };

/** What {@link planProvision} works with. */
export interface PlanProvisionDeps {
  readonly provider: Pick<MachineProvider, "checkChoice">;
  readonly records: Pick<MachineRecords, "machineRecord">;
  readonly approvals: Pick<HostKeyApprovals, "isApproved">;
  /** Instance ids of fleet.lock.toml, by host. */
  readonly lockedIds: ReadonlyMap<string, string>;
}

/** What provisioning these hosts would do; changes nothing, here or at the provider. */
export async function planProvision(
  orders: readonly HostOrder[],
  deps: PlanProvisionDeps,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly HostProvision[]> {
  return mapBounded(orders, PARALLEL, (order) => planHost(order, deps, signal));
}

async function planHost(
  order: HostOrder,
  { provider, records, approvals, lockedIds }: PlanProvisionDeps,
  signal: AbortSignal | undefined,
): Promise<HostProvision> {
  const { host } = order;
  const record = records.machineRecord(host);
  if (record?.machine) {
    const { id: instanceId, ownKey } = record.machine;
    const isApproved = ownKey !== undefined && approvals.isApproved(host, ownKey);
    const isReady = isApproved && lockedIds.get(host) === instanceId;
    return isReady
      ? { kind: "update", order, instanceId }
      : { kind: "continue", order, plan: undefined };
  }
  const attempted = (record?.attempts.length ?? 0) > 0;
  const lockedId = lockedIds.get(host);
  if (lockedId !== undefined && !attempted) {
    return { kind: "elsewhere", order, instanceId: lockedId };
  }
  try {
    const plan = await provider.checkChoice(order.machine, { signal });
    return { kind: attempted ? "continue" : "create", order, plan };
  } catch (thrown) {
    const error = toAlError(thrown);
    // A key that is refused, or a provider that is away, concerns no single host.
    if (error.blame !== "user" || error.code === "provider-key-refused") throw error;
    return { kind: "refused", order, error };
  }
}
