import { type ContainerFacts, listText, removedNetwork } from "../core/container-facts.ts";
import { LABELS } from "../core/names.ts";
import type { ContainerState, ContainerSummary } from "../docker/container-calls.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import type { ImageSummary } from "../docker/image-calls.ts";
import type { DockerNetwork } from "../docker/network-calls.ts";

/** Lists of the same observation. */
interface Around {
  readonly containers: readonly ContainerSummary[];
  readonly images: readonly ImageSummary[];
  readonly networks: readonly DockerNetwork[];
}

/** What the runtime containers among those listed were made as, by name. */
export async function runtimeFactsOf(
  docker: DockerClient,
  around: Around,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, ContainerFacts>> {
  const runtimes = around.containers.filter(({ labels }) => labels[LABELS.role] === "runtime");
  const found = await Promise.all(
    runtimes.map(({ name }) => docker.inspectContainer(name, { signal })),
  );
  return new Map(
    found.flatMap((state) => (state ? [[state.name, factsOf(state, around)] as const] : [])),
  );
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
