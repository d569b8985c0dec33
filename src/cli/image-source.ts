import { join } from "node:path";
import { raceAbort } from "../base/deadline.ts";
import type { ImageRecipe } from "../core/desired.ts";
import { buildComplete } from "../docker/build-complete.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { exportImages, type ImageArchive, pruneExports } from "../docker/image-archive.ts";
import type { ImageSource } from "../host/deliver.ts";
import type { Builders } from "./builders.ts";

/** Archives nobody has sent for this long are removed from the cache. */
const UNUSED_FOR_MS = 30 * 24 * 60 * 60 * 1000;

/** Where and for whom images are built. */
export interface ImageSourceOptions {
  readonly project: string;
  readonly builders: Pick<Builders, "engine">;
  /** `~/.action-llama`; archives are cached below it, content-addressed. */
  readonly home: string;
}

type Call = Parameters<ImageSource["archive"]>[1];

/** Images on their way, and whose wish it was: when that one gives up, others start anew. */
interface Flight {
  readonly archives: Promise<ReadonlyMap<string, ImageArchive>>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Builds images on this machine or on a host of the fleet, and exports them: all that a pass wants
 * at once, each one time for any number of hosts.
 */
export function openImageSource(options: ImageSourceOptions): ImageSource {
  const done = new Map<string, ImageArchive>();
  const flights = new Map<string, Flight>();

  function launch(recipe: ImageRecipe, call: Call): Flight {
    const isNew = ({ image }: ImageRecipe) =>
      !done.has(image.reference) && !flights.has(image.reference);
    const others = call.wanted.filter(
      (other) => other.image.reference !== recipe.image.reference && isNew(other),
    );
    const orders = [recipe, ...others];
    const archives = makeArchives(options, orders, call).finally(() => {
      for (const { image } of orders) flights.delete(image.reference);
    });
    const flight = { archives, signal: call.signal };
    for (const { image } of orders) flights.set(image.reference, flight);
    return flight;
  }

  return {
    async archive(recipe, call) {
      const { signal, onProgress } = call;
      const { reference } = recipe.image;
      for (;;) {
        signal?.throwIfAborted();
        const known = done.get(reference);
        if (known) return known;
        const joined = flights.get(reference);
        if (joined) onProgress?.(`waiting for image ${reference}, which is on its way`);
        try {
          const made = await raceAbort((joined ?? launch(recipe, call)).archives, signal);
          for (const [name, archive] of made) done.set(name, archive);
        } catch (thrown) {
          if (!joined?.signal?.aborted || signal?.aborted) throw thrown;
        }
      }
    },
  };
}

async function makeArchives(
  { project, builders, home }: ImageSourceOptions,
  orders: readonly ImageRecipe[],
  { recipes, signal, onProgress }: Call,
): Promise<ReadonlyMap<string, ImageArchive>> {
  const docker = await builders.engine(orders[0]?.builder, { signal });
  const references = orders.map(({ image }) => image.reference);
  const cacheDir = join(home, "controller", "images");
  const built = new Set<string>();
  const build = { docker, project, recipes, cacheDir, built, signal, onProgress };
  for (const recipe of orders) await buildWithParents(build, recipe);
  onProgress?.(`exporting ${references.join(", ")}`);
  const archives = await exportImages(docker, references, { cacheDir, signal });
  // Another al may prune the same cache at this moment; what stays is found the next time.
  await pruneExports(cacheDir, UNUSED_FOR_MS, Date.now()).catch(() => undefined);
  return new Map(archives.map((archive) => [archive.reference, archive]));
}

interface Build {
  readonly docker: DockerClient;
  readonly project: string;
  readonly recipes: readonly ImageRecipe[];
  readonly cacheDir: string;
  /** References seen to be there, by this export. */
  readonly built: Set<string>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** Builds what a recipe is built from first; nothing that is there already is built again. */
async function buildWithParents(build: Build, recipe: ImageRecipe): Promise<void> {
  const { docker, project, recipes, built, signal, onProgress } = build;
  const { reference } = recipe.image;
  if (built.has(reference)) return;
  for (const need of recipe.needs) {
    const parent = recipes.find(({ image }) => image.reference === need);
    if (parent) await buildWithParents(build, parent);
  }
  const progress = onProgress && ((line: string) => onProgress(`${reference}: ${line}`));
  await buildComplete(docker, recipe, {
    project,
    cacheDir: build.cacheDir,
    network: "host",
    signal,
    ...(progress ? { onProgress: progress } : {}),
  });
  built.add(reference);
}
