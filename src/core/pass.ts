import type { AlError } from "../base/errors.ts";
import type { Approval } from "./approval.ts";
import type { InventoryItem, ObservedHost } from "./observed.ts";
import type { Action, HostPlan } from "./plan.ts";
import type { Move } from "./prune.ts";
import type { Stopped } from "./stopped.ts";

/**
 * What a failed pass left live. `untouched`: it failed before anything live was changed. `restored`: the
 * last confirmed release answers again. `withdrawn`: there was none before, so nothing is live.
 * `unrestored`: what is live was not seen to work.
 */
export type Aftermath = "untouched" | "restored" | "withdrawn" | "unrestored";

/** What one pass over one host came to. */
export type HostResult =
  | {
      readonly kind: "in-sync";
      readonly host: string;
      readonly observed: ObservedHost;
      /** What a person should know, such as foreign things. */
      readonly notes: readonly string[];
    }
  /** An operator stopped the host, before the pass or in the middle of it: it is left as it is. */
  | {
      readonly kind: "stopped";
      readonly host: string;
      readonly stopped: Stopped;
      readonly observed: ObservedHost;
    }
  /** Something was changed on the host, and it is only reported: `drift = "report"`. */
  | { readonly kind: "drifted"; readonly host: string; readonly plan: HostPlan }
  /** More would be removed than without the operator's word for exactly this revision. */
  | {
      readonly kind: "consent-needed";
      readonly host: string;
      readonly revision: string;
      /** What would go, a line each. */
      readonly losses: readonly string[];
      readonly plan: HostPlan;
    }
  /** Agents that move away stay until they are confirmed where they go. */
  | {
      readonly kind: "waiting";
      readonly host: string;
      readonly moves: readonly Move[];
      readonly plan: HostPlan;
    }
  /** A host that left the fleet was cleaned; what could not be removed yet stays known. */
  | {
      readonly kind: "cleaned";
      readonly host: string;
      readonly plan: HostPlan;
      readonly left: readonly InventoryItem[];
    }
  /** There is something to do and nothing was done: a plan was asked for. */
  | { readonly kind: "planned"; readonly host: string; readonly plan: HostPlan }
  | { readonly kind: "applied"; readonly host: string; readonly plan: HostPlan }
  | {
      readonly kind: "approval-needed";
      readonly host: string;
      readonly approvals: readonly Approval[];
    }
  /** Its machine was not made yet; there is nothing to connect to. */
  | { readonly kind: "not-provisioned"; readonly host: string }
  | { readonly kind: "unreachable"; readonly host: string; readonly error: AlError }
  | {
      readonly kind: "failed";
      readonly host: string;
      readonly error: AlError;
      readonly aftermath: Aftermath;
    };

/** What happens during a pass, for a person or a machine that watches. */
export type PassEvent =
  | { readonly kind: "observing"; readonly host: string }
  | { readonly kind: "waiting-for-lock"; readonly host: string }
  | { readonly kind: "action-started"; readonly host: string; readonly action: Action }
  | { readonly kind: "action-progress"; readonly host: string; readonly text: string }
  | {
      readonly kind: "action-finished";
      readonly host: string;
      readonly action: Action;
      readonly ms: number;
      /** Why something could not be deleted and stays listed. */
      readonly kept?: string;
    }
  | { readonly kind: "confirming"; readonly host: string }
  | { readonly kind: "rolling-back"; readonly host: string; readonly reason: string };
