import { hasCode } from "../base/errors.ts";
import { builderFlaw } from "../core/builder-flaw.ts";
import type { ImageRecipe } from "../core/desired.ts";
import { LABELS } from "../core/names.ts";
import { buildComplete } from "../docker/build-complete.ts";
import { buildArchitectures } from "../docker/build-platforms.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import type { ImageCall } from "../host/deliver.ts";
import type { Builders } from "./builders.ts";

/** What builds are made with. */
export interface ImageBuildOptions {
  readonly project: string;
  readonly builders: Pick<Builders, "engine">;
  /** Where exports are kept: on some engines exporting tells whether an image can be built on. */
  readonly cacheDir: string;
}

/** An engine that images are built on. */
export interface BuildEngine {
  readonly docker: DockerClient;
  readonly id: string;
}

/** Builds images on the engines that their recipes name. */
export interface ImageBuilds {
  /**
   * The engine for a recipe, before anything is built there.
   * @throws AlError `builder-unreachable`, or `builder-architecture` when it cannot build for the call's host.
   */
  engineFor(recipe: ImageRecipe, call: ImageCall): Promise<BuildEngine>;
  /**
   * Builds recipes, each after what it is built from; nothing that is there already is built again. Then
   * does `work`; when an image is gone by then, as others prune the same engine, once more from the start.
   */
  build<T>(
    engine: BuildEngine,
    recipes: readonly ImageRecipe[],
    call: ImageCall,
    work: () => Promise<T>,
  ): Promise<T>;
}

/** Builds that remember which images they saw whole, on which engine. */
export function openImageBuilds({ project, builders, cacheDir }: ImageBuildOptions): ImageBuilds {
  /** Ids of images seen to be whole, by engine. */
  const wholeOn = new WeakMap<DockerClient, Set<string>>();

  async function buildOne(docker: DockerClient, recipe: ImageRecipe, call: ImageCall) {
    const { signal, onProgress, recipes } = call;
    const { reference, specHash } = recipe.image;
    const whole = wholeOn.get(docker) ?? new Set();
    wholeOn.set(docker, whole);
    const present = await docker.inspectImage(reference, { signal });
    if (present && whole.has(present.id) && present.labels[LABELS.specHash] === specHash) return;
    for (const need of recipe.needs) {
      const parent = recipes.find(({ image }) => image.reference === need);
      if (parent) await buildOne(docker, parent, call);
    }
    const progress = onProgress && ((line: string) => onProgress(`${reference}: ${line}`));
    const outcome = await buildComplete(docker, recipe, {
      ...{ project, cacheDir, network: "host", signal },
      ...(progress ? { onProgress: progress } : {}),
    });
    call.onOutcome?.(recipe.image, outcome);
    const made = await docker.inspectImage(reference, { signal });
    if (made) whole.add(made.id);
  }

  return {
    async engineFor({ builder, architecture }, { host, signal }) {
      const docker = await builders.engine(builder, { signal });
      const { id, architecture: own } = await docker.engineInfo({ signal });
      if (own === architecture) return { docker, id };
      const builds = await buildArchitectures(docker, { signal });
      const facts = { host: builder?.host, architecture: own, builds };
      const flaw = builderFlaw(facts, { host, architecture });
      if (flaw) throw flaw;
      return { docker, id };
    },
    async build({ docker }, recipes, call, work) {
      const attempt = async () => {
        for (const recipe of recipes) await buildOne(docker, recipe, call);
        return work();
      };
      try {
        return await attempt();
      } catch (thrown) {
        if (!hasCode(thrown, "image-missing")) throw thrown;
        return attempt();
      }
    },
  };
}
