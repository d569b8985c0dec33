import { join } from "node:path";
import type { ImageRecipe } from "../core/desired.ts";
import { buildImage } from "../docker/build.ts";
import { type DockerClient, openDocker } from "../docker/docker-client.ts";
import { exportImage, type ImageArchive, pruneExports } from "../docker/image-archive.ts";
import type { ImageSource } from "../host/deliver.ts";
import { openLocal } from "../transport/local.ts";

/** Archives nobody has sent for this long are removed from the cache. */
const UNUSED_FOR_MS = 30 * 24 * 60 * 60 * 1000;

/** Where and for whom images are built. */
export interface LocalImagesOptions {
  readonly project: string;
  readonly socketPath: string;
  /** `~/.action-llama`; archives are cached below it, content-addressed. */
  readonly home: string;
}

/** Builds on the local engine and exports each image once for all hosts. */
export function openLocalImages(options: LocalImagesOptions): ImageSource & { close(): void } {
  const transport = openLocal({ host: "this machine" });
  const docker = openDocker(transport, { socketPath: options.socketPath });
  const archives = new Map<string, Promise<ImageArchive>>();
  return {
    archive(recipe, call) {
      const { reference } = recipe.image;
      const known = archives.get(reference);
      if (known) return known;
      const made = makeArchive(docker, options, { recipe, ...call });
      archives.set(reference, made);
      made.catch(() => archives.delete(reference));
      return made;
    },
    close() {
      docker.close();
      void transport.close();
    },
  };
}

interface Order {
  readonly recipe: ImageRecipe;
  readonly recipes: readonly ImageRecipe[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

async function makeArchive(
  docker: DockerClient,
  { project, home }: LocalImagesOptions,
  order: Order,
): Promise<ImageArchive> {
  const { recipe, signal, onProgress } = order;
  await buildWithParents(docker, project, order);
  onProgress?.(`exporting ${recipe.image.reference}`);
  const cacheDir = join(home, "controller", "images");
  const archive = await exportImage(docker, recipe.image.reference, { cacheDir, signal });
  // Another al may prune the same cache at this moment; what stays is found the next time.
  await pruneExports(cacheDir, UNUSED_FOR_MS, Date.now()).catch(() => undefined);
  return archive;
}

/** Builds what a recipe is built from first; nothing that is there already is built again. */
async function buildWithParents(
  docker: DockerClient,
  project: string,
  order: Order,
): Promise<void> {
  const { recipe, recipes, signal, onProgress } = order;
  for (const reference of recipe.needs) {
    const parent = recipes.find(({ image }) => image.reference === reference);
    if (parent) await buildWithParents(docker, project, { ...order, recipe: parent });
  }
  const { reference } = recipe.image;
  const progress = onProgress && ((line: string) => onProgress(`${reference}: ${line}`));
  await buildImage(docker, recipe, {
    project,
    network: "host",
    signal,
    ...(progress ? { onProgress: progress } : {}),
  });
}
