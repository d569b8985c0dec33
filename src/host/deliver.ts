import { AlError } from "../base/errors.ts";
import type { ImageRecipe, ImageSpec } from "../core/desired.ts";
import { deliverImage } from "../docker/deliver-image.ts";
import type { ImageArchive } from "../docker/image-archive.ts";
import type { StepInput } from "./carry-out.ts";

/** Where finished images come from: built once, exported once, sent to many hosts. */
export interface ImageSource {
  /** Builds the image, and what it needs, unless that was done before. */
  archive(
    recipe: ImageRecipe,
    options: {
      readonly recipes: readonly ImageRecipe[];
      readonly signal?: AbortSignal | undefined;
      readonly onProgress?: ((text: string) => void) | undefined;
    },
  ): Promise<ImageArchive>;
}

/** Brings an image to the host: only the layers it lacks. */
export async function deliver(image: ImageSpec, input: StepInput): Promise<void> {
  const { docker, materials, recipes, observed, signal, onProgress } = input;
  const recipe = recipes.find((candidate) => candidate.image.reference === image.reference);
  if (!recipe) {
    throw new AlError(`nothing says how to build image ${image.reference}`, {
      code: "no-recipe",
      blame: "bug",
    });
  }
  const archive = await materials.images.archive(recipe, { recipes, signal, onProgress });
  await deliverImage(docker, archive, {
    freeBytes: observed.facts.dockerFreeBytes,
    onProgress,
    signal,
  });
}
