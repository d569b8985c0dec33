import type { HostSpec } from "./desired.ts";
import { treeHash } from "./fingerprint.ts";
import { inventoryMinus, inventoryOf, inventoryUnion } from "./inventory.ts";
import { shortHash } from "./names.ts";
import type { Current, Inventory, ObservedHost } from "./observed.ts";
import type { Action, HostPlan } from "./plan.ts";
import { explainTree } from "./plan-host.ts";
import type { CredentialFile } from "./resolve-credentials.ts";

/** A push of credentials to one host. */
export interface PushPlan extends HostPlan {
  /** What is live now, with the credential set that will be. */
  readonly current: Current;
}

/**
 * The actions that give what is live on a host its newest credentials and change nothing else.
 * Pure, as `planHost` is. `live` is what `current.json` says.
 */
export function planPush(
  { host }: HostSpec,
  observed: ObservedHost & { readonly current: Current },
  files: readonly CredentialFile[],
): PushPlan {
  const hash = treeHash(files);
  const current = { ...observed.current, credentials: hash };
  const actions = [
    ...planRecord(observed, hash),
    ...planSet(observed, { hash, files }),
    ...planLive(observed, current),
    ...planConfirmed(observed, hash),
    ...planRemovals(observed, hash),
  ];
  return { host, revision: current.revision, actions, notes: [], current };
}

function planRecord(observed: ObservedHost, hash: string): Action[] {
  const actions: Action[] = [];
  if (observed.credentialKey === undefined) {
    const reason = "the key of the credential versions is gone";
    actions.push({ phase: "prepare", step: { kind: "prepare-project" }, reason });
  }
  const inventory = withSet(observed.inventory, hash);
  if (inventoryMinus(inventory, observed.inventory).length > 0) {
    const reason = "1 thing to be made is listed before it exists";
    actions.push({ phase: "prepare", step: { kind: "record-inventory", inventory }, reason });
  }
  return actions;
}

function planSet(
  observed: ObservedHost,
  set: { readonly hash: string; readonly files: readonly CredentialFile[] },
): Action[] {
  const reason = explainTree("credential set", set.hash, observed.credentialSets);
  if (!reason) return [];
  return [{ phase: "prepare", step: { kind: "write-credentials", ...set }, reason }];
}

/** When it is not confirmed nothing is put back: the release is the same, and old values never return. */
function planLive(observed: ObservedHost & { current: Current }, current: Current): Action[] {
  const { confirmed } = observed.inventory;
  const isLive = observed.current.credentials === current.credentials;
  if (isLive && (!confirmed || confirmed.credentials === current.credentials)) return [];
  const reason = isLive ? "the last push was never confirmed" : "credentials changed";
  return [{ phase: "switch", step: { kind: "switch", current, previous: current }, reason }];
}

function planConfirmed({ inventory }: ObservedHost, hash: string): Action[] {
  const { confirmed } = inventory;
  if (!confirmed || confirmed.credentials === hash) return [];
  const next = { ...withSet(inventory, hash), confirmed: { ...confirmed, credentials: hash } };
  const reason = "from here on a failed switch is put back with these credentials";
  return [{ phase: "retire", step: { kind: "record-inventory", inventory: next }, reason }];
}

function planRemovals({ inventory }: ObservedHost, hash: string): Action[] {
  return inventoryOf(inventory.items)
    .items.filter(({ kind, id }) => kind === "credentials" && id !== hash)
    .map((item) => ({
      phase: "retire",
      step: { kind: "remove", item },
      reason: `credentials ${shortHash(item.id)} is no longer wanted`,
    }));
}

function withSet(inventory: Inventory, hash: string): Inventory {
  return inventoryUnion(inventory, inventoryOf([{ kind: "credentials", id: hash }]));
}
