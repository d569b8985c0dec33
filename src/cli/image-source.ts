import { join } from "node:path";
import { raceAbort } from "../base/deadline.ts";
import { toAlError } from "../base/errors.ts";
import type { ImageRecipe } from "../core/desired.ts";
import type { InventoryItem } from "../core/observed.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { exportImages, type ImageArchive, pruneExports } from "../docker/image-archive.ts";
import { pruneBuilt } from "../docker/prune-built.ts";
import type { ImageCall, ImageSource } from "../host/deliver.ts";
import type { Builders } from "./builders.ts";
import { type ImageBuilds, openImageBuilds } from "./image-builds.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Archives nobody has sent for this long are removed from the cache. */
const UNUSED_FOR_MS = 30 * DAY_MS;
/** Images stay this long where they were built, needed or not: for a revert, and for who builds on them now. */
const SUPERSEDED_FOR_MS = 7 * DAY_MS;
/** An engine is not looked through more often than this. */
const PRUNED_EVERY_MS = DAY_MS / 24;

/** Where and for whom images are built. */
export interface ImageSourceOptions {
  readonly project: string;
  readonly builders: Pick<Builders, "engine">;
  /** `~/.action-llama`; archives are cached below it, content-addressed. */
  readonly home: string;
  /** Everything of the project that inventories known here list. */
  readonly listed: () => Promise<readonly InventoryItem[]>;
  /** Milliseconds since the epoch. Default the system's clock. */
  readonly now?: () => number;
}

/** Images on their way, and whose wish it was: when that one gives up, others start anew. */
interface Flight {
  readonly archives: Promise<ReadonlyMap<string, ImageArchive>>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Builds images on this machine or on a host of the fleet, and exports them: all that a pass wants
 * at once, each one time for any number of hosts. What is old and of no use is removed on the way.
 */
export function openImageSource(options: ImageSourceOptions): ImageSource {
  const cacheDir = join(options.home, "controller", "images");
  const builds = openImageBuilds({ ...options, cacheDir });
  const prune = openPruning(options, cacheDir);
  const done = new Map<string, ImageArchive>();
  const flights = new Map<string, Flight>();

  function launch(recipe: ImageRecipe, call: ImageCall): Flight {
    const isNew = ({ image }: ImageRecipe) =>
      !done.has(image.reference) && !flights.has(image.reference);
    const others = call.wanted.filter(
      (other) => other.image.reference !== recipe.image.reference && isNew(other),
    );
    const orders = [recipe, ...others] as const;
    const archives = makeArchives({ builds, prune, cacheDir }, orders, call).finally(() => {
      for (const { image } of orders) flights.delete(image.reference);
    });
    const flight = { archives, signal: call.signal };
    for (const { image } of orders) flights.set(image.reference, flight);
    return flight;
  }

  return {
    async buildOn(engineId, recipe, call) {
      if (engineId === "" || done.has(recipe.image.reference)) return false;
      const engine = await builds.engineFor(recipe, call);
      if (engine.id !== engineId) return false;
      await builds.build(engine, [recipe], call, async () => undefined);
      await prune(engine.docker, call);
      return true;
    },
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

type Prune = (docker: DockerClient, call: ImageCall) => Promise<void>;

async function makeArchives(
  use: { readonly builds: ImageBuilds; readonly prune: Prune; readonly cacheDir: string },
  orders: readonly [ImageRecipe, ...ImageRecipe[]],
  call: ImageCall,
): Promise<ReadonlyMap<string, ImageArchive>> {
  const { builds, prune, cacheDir } = use;
  const { signal, onProgress } = call;
  const engine = await builds.engineFor(orders[0], call);
  const references = orders.map(({ image }) => image.reference);
  const archives = await builds.build(engine, orders, call, () => {
    onProgress?.(`exporting ${references.join(", ")}`);
    return exportImages(engine.docker, references, { cacheDir, signal });
  });
  await prune(engine.docker, call);
  return new Map(archives.map((archive) => [archive.reference, archive]));
}

/** Removing what is old, here and where images are built, is never a reason to fail. */
function openPruning(options: ImageSourceOptions, cacheDir: string): Prune {
  const { project, listed, now = Date.now } = options;
  const prunedAt = new WeakMap<DockerClient, number>();
  return async (docker, { recipes, signal, onProgress }) => {
    // Another al may prune the same cache at this moment; what stays is found the next time.
    await pruneExports(cacheDir, UNUSED_FOR_MS, now()).catch(() => undefined);
    if (now() - (prunedAt.get(docker) ?? 0) < PRUNED_EVERY_MS) return;
    prunedAt.set(docker, now());
    try {
      const items = await listed();
      const wanted = new Set([
        ...recipes.map(({ image }) => image.reference),
        ...items.map(({ id }) => id),
      ]);
      const keptSinceMs = now() - SUPERSEDED_FOR_MS;
      const removed = await pruneBuilt(docker, { project, wanted, keptSinceMs, signal });
      if (removed.length > 0) onProgress?.(`removed from ${docker.host}: ${removed.join(", ")}`);
    } catch (thrown) {
      onProgress?.(`old images stay on ${docker.host}: ${toAlError(thrown).message}`);
    }
  };
}
