import {
  type ContainerFacts,
  commandText,
  listText,
  removedNetwork,
} from "../core/container-facts.ts";
import { isStanding, LABELS } from "../core/names.ts";
import type {
  ContainerProgram,
  ContainerState,
  ContainerSummary,
} from "../docker/container-calls.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import type { ImageSummary } from "../docker/image-calls.ts";
import type { DockerNetwork } from "../docker/network-calls.ts";

/** Lists of the same observation. */
interface Around {
  readonly images: readonly ImageSummary[];
  readonly networks: readonly DockerNetwork[];
}

/** A standing container, and what its image would have it run: nothing where that image is gone. */
export interface Standing {
  readonly state: ContainerState;
  readonly own: ContainerProgram;
}

const NOTHING: ContainerProgram = { entrypoint: [], argv: [], env: [] };

/** Inspects the standing containers among those listed, and their images. */
export async function inspectStanding(
  docker: DockerClient,
  containers: readonly ContainerSummary[],
  signal: AbortSignal | undefined,
): Promise<readonly Standing[]> {
  const standing = containers.filter(({ labels }) => isStanding(labels[LABELS.role]));
  const found = await Promise.all(
    standing.map(({ name, imageId }) =>
      Promise.all([
        docker.inspectContainer(name, { signal }),
        docker.inspectImage(imageId, { signal }),
      ]),
    ),
  );
  return found.flatMap(([state, image]) =>
    state ? [{ state, own: image?.program ?? NOTHING }] : [],
  );
}

/** What inspected containers were made as, by name. */
export function standingFactsOf(
  standing: readonly Standing[],
  around: Around,
): ReadonlyMap<string, ContainerFacts> {
  return new Map(standing.map((one) => [one.state.name, factsOf(one, around)]));
}

function factsOf({ state, own }: Standing, { images, networks }: Around): ContainerFacts {
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
    command: commandOf(state.program, own),
    environment: listText(state.program.env.filter((variable) => !own.env.includes(variable))),
  };
}

/** What was not said when it was made is its image's. */
function commandOf({ entrypoint, argv }: ContainerProgram, own: ContainerProgram): string {
  const isSame = (one: readonly string[], other: readonly string[]) =>
    JSON.stringify(one) === JSON.stringify(other);
  return commandText({
    argv: isSame(argv, own.argv) ? [] : argv,
    ...(isSame(entrypoint, own.entrypoint) ? {} : { entrypoint }),
  });
}
