import type { HostSpec } from "./desired.ts";
import { specHash, treeHash } from "./fingerprint.ts";
import { caddyConfig } from "./ingress-config.ts";
import { inventoryOf } from "./inventory.ts";
import { doorName, ingressName, runtimeName } from "./names.ts";
import { resolveNetwork } from "./network-drift.ts";
import type {
  Current,
  HostFacts,
  Inventory,
  InventoryItem,
  NetworkSpec,
  ObservedHost,
} from "./observed.ts";
import type { DoorContainer, IngressContainer, RuntimeContainer } from "./plan.ts";
import type { CredentialFile } from "./resolve-credentials.ts";

/** A HostSpec with the host's own facts filled in: exactly what must be found there. */
export interface Target {
  readonly spec: HostSpec;
  readonly network: NetworkSpec;
  readonly credentials: { readonly hash: string; readonly files: readonly CredentialFile[] };
  readonly container: RuntimeContainer;
  /** Where webhooks are to be received. */
  readonly door: DoorContainer | undefined;
  /** Where something is public. */
  readonly ingress: IngressContainer | undefined;
  readonly current: Current;
  /** Everything of ours that the host should hold. */
  readonly inventory: Inventory;
}

/** Resolves a spec against one observation. `credentialFiles` carry versions under this host's key. */
export function resolveTarget(
  spec: HostSpec,
  observed: ObservedHost,
  credentialFiles: readonly CredentialFile[],
): Target {
  const network = resolveNetwork(spec.project, observed);
  const credentials = { hash: treeHash(credentialFiles), files: credentialFiles };
  const container = runtimeContainer(spec, observed.facts, network);
  const door = doorContainer(spec, observed.facts, network);
  const ingress = ingressContainer(spec, observed.facts, network);
  const current: Current = {
    project: spec.project,
    host: spec.host,
    revision: spec.revision,
    release: spec.release.hash,
    credentials: credentials.hash,
    runtime: container.name,
    ...(door && { door: door.name }),
    ...(ingress && { ingress: ingress.name }),
    network,
  };
  const inventory = inventoryOf([
    { kind: "release", id: spec.release.hash },
    { kind: "credentials", id: credentials.hash },
    { kind: "container", id: container.name },
    ...(door ? [{ kind: "container", id: door.name } as const] : []),
    ...(ingress ? itemsOf(ingress) : []),
    { kind: "network", id: network.name },
    { kind: "rules", id: network.name },
    ...spec.images.map(({ reference }) => ({ kind: "image", id: reference }) as const),
  ]);
  return { spec, network, credentials, container, door, ingress, current, inventory };
}

function itemsOf({ name, site }: IngressContainer): readonly InventoryItem[] {
  return [
    { kind: "container", id: name },
    { kind: "certificates", id: site.name },
  ];
}

function runtimeContainer(
  spec: HostSpec,
  facts: HostFacts,
  network: NetworkSpec,
): RuntimeContainer {
  const { projectDir, uid, gid, dockerSocket, dockerGid } = facts;
  const user = { uid, gid, dockerSocket, dockerGid };
  const { image, imageSpecHash } = spec.runtime;
  const shape = { image, projectDir, ...user, network };
  const hash = specHash({ ...shape, network: { ...network }, image: imageSpecHash });
  return { ...shape, specHash: hash, name: runtimeName(spec.project, hash) };
}

/** Made of as little as can be: another door is a moment without one. */
function doorContainer(
  { project, door }: HostSpec,
  { projectDir, uid, gid }: HostFacts,
  { name: network }: NetworkSpec,
): DoorContainer | undefined {
  if (!door) return undefined;
  const { image, imageSpecHash, outsidePort } = door;
  const shape = { image, projectDir, uid, gid, network, outsidePort };
  const hash = specHash({ ...shape, image: imageSpecHash });
  return { ...shape, specHash: hash, name: doorName(project, hash) };
}

/** Like the door; how it is configured is part of what it is. */
function ingressContainer(
  { project, ingress }: HostSpec,
  { projectDir, uid, gid }: HostFacts,
  { name: network }: NetworkSpec,
): IngressContainer | undefined {
  if (!ingress) return undefined;
  const { image, imageSpecHash, site } = ingress;
  const shape = { image, projectDir, uid, gid, network };
  const hash = specHash({ ...shape, image: imageSpecHash, config: caddyConfig(site) });
  return { ...shape, site, specHash: hash, name: ingressName(project, hash) };
}
