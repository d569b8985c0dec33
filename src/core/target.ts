import type { HostSpec } from "./desired.ts";
import { specHash, treeHash } from "./fingerprint.ts";
import { inventoryOf } from "./inventory.ts";
import { runtimeName } from "./names.ts";
import { resolveNetwork } from "./network-drift.ts";
import type { Current, HostFacts, Inventory, NetworkSpec, ObservedHost } from "./observed.ts";
import type { RuntimeContainer } from "./plan.ts";
import type { CredentialFile } from "./resolve-credentials.ts";

/** A HostSpec with the host's own facts filled in: exactly what must be found there. */
export interface Target {
  readonly spec: HostSpec;
  readonly network: NetworkSpec;
  readonly credentials: { readonly hash: string; readonly files: readonly CredentialFile[] };
  readonly container: RuntimeContainer;
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
  const current: Current = {
    project: spec.project,
    host: spec.host,
    revision: spec.revision,
    release: spec.release.hash,
    credentials: credentials.hash,
    runtime: container.name,
    network,
  };
  const inventory = inventoryOf([
    { kind: "release", id: spec.release.hash },
    { kind: "credentials", id: credentials.hash },
    { kind: "container", id: container.name },
    { kind: "network", id: network.name },
    { kind: "rules", id: network.name },
    ...spec.images.map(({ reference }) => ({ kind: "image", id: reference }) as const),
  ]);
  return { spec, network, credentials, container, current, inventory };
}

function runtimeContainer(
  spec: HostSpec,
  facts: HostFacts,
  network: NetworkSpec,
): RuntimeContainer {
  const { projectDir, uid, gid, dockerSocket, dockerGid } = facts;
  const user = { uid, gid, dockerSocket, dockerGid };
  const { image, imageSpecHash, outsidePort } = spec.runtime;
  const published = outsidePort === undefined ? {} : { outsidePort };
  const shape = { image, projectDir, ...user, network, ...published };
  const hash = specHash({ ...shape, network: { ...network }, image: imageSpecHash });
  return { ...shape, specHash: hash, name: runtimeName(spec.project, hash) };
}
