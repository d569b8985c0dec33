import { canonicalJson, type Json } from "../base/canonical-json.ts";
import { inventoryUnion } from "./inventory.ts";
import { shortHash } from "./names.ts";
import type { Current, ObservedHost } from "./observed.ts";
import type { Action } from "./plan.ts";
import { explainDoorFlaw, explainIngressFlaw, explainRuntimeFlaw } from "./standing-drift.ts";
import type { Target } from "./target.ts";

/** What is to be live, all that a push confirms; how the runtime is made is looked at with a whole target only. */
type Wanted = Target | { readonly current: Current };

/**
 * The switch, when what is live differs from the target, does not run, or was never confirmed: a
 * controller that died in between left a release that nobody has seen work.
 */
export function planSwitch(target: Target, observed: ObservedHost): Action[] {
  const { current } = target;
  const { confirmed } = observed.inventory;
  const reason = explainSwitch(target, observed) ?? explainUnrecorded(current, confirmed);
  if (!reason) return [];
  return [{ phase: "switch", step: { kind: "switch", current, previous: confirmed }, reason }];
}

/** The record that the switch was confirmed, written after it was. */
export function planConfirmation(target: Target, observed: ObservedHost): Action[] {
  if (!explainUnrecorded(target.current, observed.inventory.confirmed)) return [];
  const inventory = {
    ...inventoryUnion(observed.inventory, target.inventory),
    confirmed: target.current,
  };
  const reason = "from here on this is what a failed switch is put back to";
  return [{ phase: "retire", step: { kind: "record-inventory", inventory }, reason }];
}

function explainUnrecorded(wanted: Current, confirmed: Current | undefined): string | undefined {
  if (confirmed && isSameCurrent(confirmed, wanted)) return undefined;
  return "the last switch was never confirmed";
}

/** True when both name the same release, credentials, runtime, network and revision. */
export function isSameCurrent(a: Current, b: Current): boolean {
  return canonicalJson(jsonOf(a)) === canonicalJson(jsonOf(b));
}

function jsonOf(current: Current): Json {
  return { ...current, network: { ...current.network } };
}

/** True when what runs is what the target asks, as Docker and the runtime both say. */
export function isConfirmed(target: Wanted, observed: ObservedHost): boolean {
  const { runtime } = observed;
  return (
    explainSwitch(target, observed) === undefined &&
    runtime !== undefined &&
    runtime.ready &&
    runtime.settled &&
    runtime.release === target.current.release &&
    runtime.credentials === target.current.credentials
  );
}

/** What still keeps a host from being confirmed, for the error message. */
export function explainUnconfirmed(target: Wanted, observed: ObservedHost): string {
  const reason = explainSwitch(target, observed);
  if (reason) return reason;
  const { runtime } = observed;
  if (!runtime) return "the runtime does not answer";
  if (!runtime.ready) return `the runtime is not ready: ${runtime.reason ?? "no reason given"}`;
  if (runtime.release !== target.current.release) {
    return `the runtime still uses release ${shortHash(runtime.release)}`;
  }
  if (runtime.settled) return "the runtime still uses other credentials";
  return "a run that is being started still needs what was live before";
}

function explainSwitch(target: Wanted, observed: ObservedHost): string | undefined {
  const { current } = observed;
  if (!current) return "nothing is live on this host";
  const changed = explainCurrent(current, target.current);
  if (changed) return changed;
  const container = observed.containers.find(({ name }) => name === target.current.runtime);
  if (container && container.state !== "running" && container.state !== "restarting") {
    return `the runtime container is ${container.state}`;
  }
  if (!container) return "the runtime container was removed";
  const flaw = "container" in target ? explainRuntimeFlaw(target, observed) : undefined;
  return (
    flaw ??
    explainEntry("door", target, observed) ??
    ("container" in target ? explainDoorFlaw(target, observed) : undefined) ??
    explainEntry("ingress", target, observed) ??
    ("container" in target ? explainIngressFlaw(target, observed) : undefined)
  );
}

/** A door that is started again and again lets nobody in, and neither does an ingress. */
function explainEntry(
  entry: "door" | "ingress",
  { current }: Wanted,
  { containers }: ObservedHost,
): string | undefined {
  const wanted = current[entry];
  if (wanted === undefined) return undefined;
  const found = containers.find(({ name }) => name === wanted);
  if (!found) return `the ${entry} was removed`;
  return found.state === "running" ? undefined : `the ${entry} is ${found.state}`;
}

function explainCurrent(live: Current, wanted: Current): string | undefined {
  const parts: string[] = [];
  if (live.host !== wanted.host) parts.push(`host ${live.host} is called ${wanted.host} now`);
  if (live.release !== wanted.release) {
    parts.push(`release ${shortHash(live.release)} -> ${shortHash(wanted.release)}`);
  }
  if (live.credentials !== wanted.credentials) parts.push("credentials changed");
  if (live.runtime !== wanted.runtime) parts.push("the runtime changed");
  if (live.door !== wanted.door) parts.push(explainOtherDoor(live, wanted));
  if (live.ingress !== wanted.ingress) parts.push(explainOtherIngress(live, wanted));
  if (live.network.subnet !== wanted.network.subnet) parts.push("the network changed");
  if (parts.length > 0) return parts.join(", ");
  if (live.revision === wanted.revision) return undefined;
  return `revision ${shortHash(live.revision)} -> ${shortHash(wanted.revision)}, same content`;
}

function explainOtherDoor(live: Current, wanted: Current): string {
  if (wanted.door === undefined) return "webhooks are received no more";
  return live.door === undefined ? "webhooks are received through a door" : "the door changed";
}

function explainOtherIngress(live: Current, wanted: Current): string {
  if (wanted.ingress === undefined) return "nothing is public any more";
  return live.ingress === undefined ? "webhooks become public" : "the ingress changed";
}
