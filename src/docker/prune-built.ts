import { mapBounded } from "../base/concurrency.ts";
import { hasCode } from "../base/errors.ts";
import { LABELS } from "../core/names.ts";
import { type BuiltImage, supersededImages } from "../core/superseded-images.ts";
import type { DockerClient } from "./docker-client.ts";

/** What {@link pruneBuilt} must know. */
export interface PruneBuiltOptions {
  readonly project: string;
  /** References and container names that are of use: recipes, and everything inventories list. */
  readonly wanted: ReadonlySet<string>;
  /** Images named at this time (ms) or later stay. */
  readonly keptSinceMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Removes from an engine that builds for a project the images of ours that nobody needs any more; returns
 * their references. Where a runtime of the project runs that nothing known to us lists, everything stays:
 * its inventory is somebody else's.
 */
export async function pruneBuilt(
  docker: DockerClient,
  { project, wanted, keptSinceMs, signal }: PruneBuiltOptions,
): Promise<readonly string[]> {
  const [containers, images] = await Promise.all([
    docker.listContainers({}, { signal }),
    builtImages(docker, project, signal),
  ]);
  const runtimes = containers.filter(
    ({ labels }) => labels[LABELS.project] === project && labels[LABELS.role] === "runtime",
  );
  if (runtimes.some(({ name }) => !wanted.has(name))) return [];
  const inContainers = new Set(containers.flatMap(({ image, imageId }) => [image, imageId]));
  const removed: string[] = [];
  for (const reference of supersededImages(images, {
    project,
    wanted,
    inContainers,
    keptSinceMs,
  })) {
    try {
      await docker.removeImage(reference, { signal });
      removed.push(reference);
    } catch (thrown) {
      // A container was made from it a moment ago.
      if (!hasCode(thrown, "docker-conflict")) throw thrown;
    }
  }
  return removed;
}

async function builtImages(
  docker: DockerClient,
  project: string,
  signal: AbortSignal | undefined,
): Promise<readonly BuiltImage[]> {
  const listed = await docker.listImages({ [LABELS.project]: project }, { signal });
  const references = listed.flatMap((image) => image.references);
  const found = await mapBounded(references, 8, async (reference) => {
    const image = await docker.inspectImage(reference, { signal });
    if (!image) return [];
    const { id, labels, namedAtMs } = image;
    const { [LABELS.project]: owner, [LABELS.specHash]: specHash } = labels;
    return [{ reference, id, project: owner, specHash, namedAtMs }];
  });
  return found.flat();
}
