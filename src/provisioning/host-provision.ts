import type { AlError } from "../base/errors.ts";
import type { FirewallDifference, MachinePlan } from "../core/machine.ts";
import type { HostOrder } from "./provision-host.ts";

/** What a provisioning would do for one host. */
export type HostProvision =
  /** A machine is ordered, and paid for from then on. */
  | { readonly kind: "create"; readonly order: HostOrder; readonly plan: MachinePlan }
  /** An earlier provisioning was cut off; the plan is absent where the machine is known already. */
  | { readonly kind: "continue"; readonly order: HostOrder; readonly plan: MachinePlan | undefined }
  /** Its machine is ready; its firewall, or what is known of it, is brought up to date. */
  | (ReadyHost & {
      readonly kind: "update";
      readonly firewall: FirewallDifference;
      /** The machine is behind another firewall, or none. */
      readonly isOutside: boolean;
      /** fleet.lock.toml does not say what is so. */
      readonly isLockStale: boolean;
    })
  /** There is nothing to do. */
  | (ReadyHost & { readonly kind: "ready" })
  /** fleet.lock.toml names a machine that nobody here ordered: another operator's work. */
  | {
      readonly kind: "elsewhere";
      readonly order: HostOrder;
      readonly instanceId: string;
      /** It is not in the account of our key. */
      readonly isGone: boolean;
    }
  /** What is asked for cannot be had. */
  | { readonly kind: "refused"; readonly order: HostOrder; readonly error: AlError };

interface ReadyHost {
  readonly order: HostOrder;
  readonly instanceId: string;
  readonly differs: readonly MachineDifference[];
}

/** What a machine is and fleet.toml does not ask for; no provisioning changes that. */
export interface MachineDifference {
  readonly field: "region" | "plan" | "os" | "user";
  readonly is: string;
  readonly wanted: string;
}

/** What fleet.lock.toml says of a host. */
export interface LockedFacts {
  readonly instanceId?: string | undefined;
  readonly address: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly hostKey: string;
}
