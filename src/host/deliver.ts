import { AlError } from "../base/errors.ts";
import type { ImageRecipe, ImageSpec } from "../core/desired.ts";
import { LABELS } from "../core/names.ts";
import type { BuildOutcome } from "../docker/build.ts";
import { deliverImage } from "../docker/deliver-image.ts";
import type { ImageArchive } from "../docker/image-archive.ts";
import type { StepInput } from "./carry-out.ts";

/** For whom an image is wanted, and what else is. */
export interface ImageCall {
  /** The host's name in the fleet, for messages. */
  readonly host: string;
  /** How everything of the fleet is built. */
  readonly recipes: readonly ImageRecipe[];
  /** What this host lacks. */
  readonly wanted: readonly ImageRecipe[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
  /** Told of each image that was built, or found to be there. */
  readonly onOutcome?: ((image: ImageSpec, outcome: BuildOutcome) => void) | undefined;
}

/** Where finished images come from: built once, exported once, sent to many hosts. */
export interface ImageSource {
  /**
   * Builds the image, and what it needs, if the engine with this id is the one it is built on: what is
   * wanted where it is built needs no way there. False, and nothing done, for any other engine.
   */
  buildOn(engineId: string, recipe: ImageRecipe, call: ImageCall): Promise<boolean>;
  /**
   * Builds the image, and what it needs, unless that was done before. The others of `wanted` are
   * built and exported with it, since exporting several at once costs little more than one.
   */
  archive(recipe: ImageRecipe, call: ImageCall): Promise<ImageArchive>;
}

/** Brings an image to the host: builds it there, if that is where images are built, or sends the layers it lacks. */
export async function deliver(image: ImageSpec, input: StepInput): Promise<void> {
  const { docker, materials, recipes, observed, spec, signal, onProgress } = input;
  const recipe = recipes.find((candidate) => candidate.image.reference === image.reference);
  if (!recipe) {
    throw new AlError(`nothing says how to build image ${image.reference}`, {
      code: "no-recipe",
      blame: "bug",
    });
  }
  const wanted = missingRecipes(input);
  const call = { host: spec.host, recipes, wanted, signal, onProgress };
  const isBuiltHere = await materials.images.buildOn(observed.facts.engineId, recipe, call);
  if (isBuiltHere && (await isPresent(image, input))) return;
  const archive = await materials.images.archive(recipe, call);
  await deliverImage(docker, archive, {
    freeBytes: observed.facts.dockerFreeBytes,
    onProgress,
    signal,
  });
}

/** Asked through the host's own connection, so that two engines with one id are told apart. */
async function isPresent(
  { reference, specHash }: ImageSpec,
  { docker, signal }: StepInput,
): Promise<boolean> {
  const found = await docker.inspectImage(reference, { signal });
  return found?.labels[LABELS.specHash] === specHash;
}

/** Recipes of all images that the host lacked when it was looked at. */
function missingRecipes({ spec, observed, recipes }: StepInput): readonly ImageRecipe[] {
  const present = new Map(observed.images.map((image) => [image.reference, image.specHash]));
  const lacking = spec.images.filter((image) => present.get(image.reference) !== image.specHash);
  const references = new Set(lacking.map((image) => image.reference));
  return recipes.filter(({ image }) => references.has(image.reference));
}
