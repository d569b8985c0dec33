import { counted } from "./counted.ts";
import type { HostSpec, ImageSpec } from "./desired.ts";
import { isDriftOnly } from "./drift.ts";
import { compareText, treeHash } from "./fingerprint.ts";
import { foreignNotes, networkNotes } from "./foreign.ts";
import { inventoryMinus, inventoryOf, inventoryUnion } from "./inventory.ts";
import { isStanding, shortHash } from "./names.ts";
import { explainReplacedNetwork } from "./network-drift.ts";
import type { InventoryItem, ObservedHost, ObservedTree } from "./observed.ts";
import type { Action, HostPlan, Phase, Step } from "./plan.ts";
import { planDoor } from "./plan-door.ts";
import { planIngress } from "./plan-ingress.ts";
import { planConfirmation, planSwitch } from "./plan-switch.ts";
import { removalOrder, removeAction } from "./removals.ts";
import type { CredentialFile } from "./resolve-credentials.ts";
import { explainRuntimeFlaw } from "./standing-drift.ts";
import { resolveTarget, type Target } from "./target.ts";

/**
 * The actions that make a host what its spec asks, in the order they are carried out. A host that an
 * operator stopped is left alone. Pure: equal input gives an equal plan; an empty plan means nothing to do.
 */
export function planHost(
  spec: HostSpec,
  observed: ObservedHost,
  credentialFiles: readonly CredentialFile[],
): HostPlan {
  if (observed.stopped) return leftAlone(spec);
  const target = resolveTarget(spec, observed, credentialFiles);
  const actions = [
    ...planProject(target, observed),
    ...planImages(target, observed),
    ...planNetwork(target, observed),
    ...planTrees(target, observed),
    ...planRules(observed),
    ...planRuntime(target, observed),
    ...planDoor(target, observed),
    ...planIngress(target, observed),
    ...planSwitch(target, observed),
    ...planConfirmation(target, observed),
    ...planRemovals(target, observed),
  ];
  const notes = [
    ...foreignNotes(observed, inventoryUnion(observed.inventory, target.inventory)),
    ...networkNotes(spec.project, observed),
  ];
  const driftOnly = isDriftOnly(target, observed, actions);
  return { host: spec.host, revision: spec.revision, actions, notes, driftOnly };
}

/** The plan for a host that an operator stopped: nothing at all. */
export function leftAlone({ host, revision }: HostSpec): HostPlan {
  return { host, revision, actions: [], notes: [] };
}

function planProject(target: Target, observed: ObservedHost): Action[] {
  const actions: Action[] = [];
  if (observed.credentialKey === undefined) {
    actions.push(prepare({ kind: "prepare-project" }, "the project is new on this host"));
  }
  const inventory = inventoryUnion(observed.inventory, target.inventory);
  const added = inventoryMinus(inventory, observed.inventory).length;
  if (added > 0) {
    const reason = `${counted(added, "thing")} to be made ${added === 1 ? "is listed before it exists" : "are listed before they exist"}`;
    actions.push(prepare({ kind: "record-inventory", inventory }, reason));
  }
  if (observed.temporary.length > 0) {
    const paths = [...observed.temporary].sort(compareText);
    const reason = `${counted(paths.length, "leftover")} of an interrupted apply`;
    actions.push(prepare({ kind: "sweep", paths }, reason));
  }
  return actions;
}

function planImages(target: Target, observed: ObservedHost): Action[] {
  const present = new Map(observed.images.map((image) => [image.reference, image.specHash]));
  return target.spec.images
    .filter((image) => present.get(image.reference) !== image.specHash)
    .sort((a, b) => deliveryOrder(a) - deliveryOrder(b))
    .map((image) => {
      const reason = present.has(image.reference)
        ? `another image carries the name ${image.reference}`
        : `image ${image.reference} is not on the host`;
      return prepare({ kind: "deliver-image", image }, reason);
    });
}

/** What others are built on goes first, so that its layers are not taken for theirs. */
function deliveryOrder({ name }: ImageSpec): number {
  const order = ["base", "project", "runtime"].indexOf(name);
  return order < 0 ? 3 : order;
}

function planNetwork(target: Target, observed: ObservedHost): Action[] {
  const { network } = target;
  const flaw = explainReplacedNetwork(target.spec.project, observed);
  if (flaw !== undefined) {
    const reason = `network ${network.name} was altered: ${flaw}`;
    return [{ phase: "switch", step: { kind: "replace-network", network }, reason }];
  }
  if (observed.network) return [];
  const reason = `network ${network.name} is missing; ${network.subnet} is free`;
  return [prepare({ kind: "create-network", network }, reason)];
}

function planTrees(target: Target, observed: ObservedHost): Action[] {
  const { spec, credentials } = target;
  const actions: Action[] = [];
  const release = explainTree("release", spec.release.hash, observed.releases);
  if (release) {
    const files = spec.release.files.map(({ path, hash }) => ({ path, hash }));
    actions.push(prepare({ kind: "write-release", hash: spec.release.hash, files }, release));
  }
  const set = explainTree("credential set", credentials.hash, observed.credentialSets);
  if (set) {
    actions.push(prepare({ kind: "write-credentials", ...credentials }, set));
  }
  return actions;
}

/** Why a content-addressed directory must be written, or undefined when its bytes are right. */
export function explainTree(
  what: string,
  hash: string,
  found: readonly ObservedTree[],
): string | undefined {
  const tree = found.find(({ name }) => name === hash);
  if (!tree) return `${what} ${shortHash(hash)} is not on the host`;
  const [oddity] = [...tree.oddities].sort(compareText);
  if (oddity !== undefined) return `${what} ${shortHash(hash)} was altered on the host: ${oddity}`;
  if (treeHash(tree.files) === hash) return undefined;
  return `${what} ${shortHash(hash)} was altered on the host: its bytes differ from its name`;
}

/** Rules are the runtime's to keep; what it finds missing when it is asked is put back through it. */
function planRules({ current, runtime }: ObservedHost): Action[] {
  if (!current || runtime?.rules !== "missing") return [];
  const reason = "the network's rules are missing on the host";
  return [prepare({ kind: "restore-rules", runtime: current.runtime }, reason)];
}

function planRuntime(target: Target, observed: ObservedHost): Action[] {
  const { container } = target;
  const flaw = explainRuntimeFlaw(target, observed);
  if (flaw !== undefined) {
    return [{ phase: "switch", step: { kind: "replace-runtime", container }, reason: flaw }];
  }
  if (observed.containers.some(({ name }) => name === container.name)) return [];
  const reason = observed.current
    ? "the live runtime has another image or setting"
    : "no runtime exists";
  const missing = observed.current?.runtime === container.name;
  return [
    prepare(
      { kind: "create-runtime", container },
      missing ? "the runtime container was removed" : reason,
    ),
  ];
}

function planRemovals(target: Target, observed: ObservedHost): Action[] {
  const inUse = new Set(
    observed.containers.filter(({ role }) => !isStanding(role)).map(({ image }) => image),
  );
  return inventoryMinus(inventoryOf(observed.inventory.items), target.inventory)
    .filter((item) => item.kind !== "image" || !inUse.has(item.id))
    .sort((a, b) => removalOrder(a) - removalOrder(b))
    .map((item) => removeAction(item, `${item.kind} ${label(item)} is no longer wanted`));
}

function label(item: InventoryItem): string {
  return item.kind === "release" || item.kind === "credentials" ? shortHash(item.id) : item.id;
}

function prepare(step: Step, reason: string): Action {
  const phase: Phase = "prepare";
  return { phase, step, reason };
}
