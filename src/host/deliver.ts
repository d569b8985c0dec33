import { AlError } from "../base/errors.ts";
import type { ImageRecipe, ImageSpec } from "../core/desired.ts";
import { deliverImage } from "../docker/deliver-image.ts";
import type { ImageArchive } from "../docker/image-archive.ts";
import type { StepInput } from "./carry-out.ts";

/** Where finished images come from: built once, exported once, sent to many hosts. */
export interface ImageSource {
  /**
   * Builds the image, and what it needs, unless that was done before. The others of `wanted` are
   * built and exported with it, since exporting several at once costs little more than one.
   */
  archive(
    recipe: ImageRecipe,
    options: {
      readonly recipes: readonly ImageRecipe[];
      readonly wanted: readonly ImageRecipe[];
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
  const wanted = missingRecipes(input);
  const options = { recipes, wanted, signal, onProgress };
  const archive = await materials.images.archive(recipe, options);
  await deliverImage(docker, archive, {
    freeBytes: observed.facts.dockerFreeBytes,
    onProgress,
    signal,
  });
}

/** Recipes of all images that the host lacked when it was looked at. */
function missingRecipes({ spec, observed, recipes }: StepInput): readonly ImageRecipe[] {
  const present = new Map(observed.images.map((image) => [image.reference, image.specHash]));
  const lacking = spec.images.filter((image) => present.get(image.reference) !== image.specHash);
  const references = new Set(lacking.map((image) => image.reference));
  return recipes.filter(({ image }) => references.has(image.reference));
}
