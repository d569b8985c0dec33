import { type ContainerFacts, listText, removedNetwork } from "../core/container-facts.ts";
import { isStanding, LABELS } from "../core/names.ts";
import type { ContainerState, ContainerSummary } from "../docker/container-calls.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import type { ImageSummary } from "../docker/image-calls.ts";
import type { DockerNetwork } from "../docker/network-calls.ts";

/** Lists of the same observation. */
interface Around {
  readonly images: readonly ImageSummary[];
  readonly networks: readonly DockerNetwork[];
}

/** Inspects the standing containers among those listed. */
export async function inspectStanding(
  docker: DockerClient,
  containers: readonly ContainerSummary[],
  signal: AbortSignal | undefined,
): Promise<readonly ContainerState[]> {
  const standing = containers.filter(({ labels }) => isStanding(labels[LABELS.role]));
  const found = await Promise.all(
    standing.map(({ name }) => docker.inspectContainer(name, { signal })),
  );
  return found.filter((state) => state !== undefined);
}

/** What inspected containers were made as, by name. */
export function standingFactsOf(
  standing: readonly ContainerState[],
  around: Around,
): ReadonlyMap<string, ContainerFacts> {
  return new Map(standing.map((state) => [state.name, factsOf(state, around)]));
}

function factsOf(state: ContainerState, { images, networks }: Around): ContainerFacts {
  const image = images.find(({ id }) => id === state.imageId);
  const ids = new Map(networks.map(({ name, id }) => [name, id]));
  // A container that never ran has no network's id yet.
  const inNetworks = Object.entries(state.networkIds).map(([name, id]) =>
    id === "" || ids.get(name) === id ? name : removedNetwork(name),
  );
  return {
    ...state.make,
    imageSpecHash: image?.labels[LABELS.specHash] ?? "",
    specHash: state.labels[LABELS.specHash] ?? "",
    networks: listText(inNetworks),
  };
}
