import { hasCode } from "../base/errors.ts";
import type { ImageRecipe } from "../core/desired.ts";
import { type BuildOptions, type BuildOutcome, buildImage } from "./build.ts";
import type { DockerClient } from "./docker-client.ts";
import { exportImage } from "./image-archive.ts";

/**
 * Builds like {@link buildImage}, for what is to be built upon or exported.
 *
 * An image that was delivered to a containerd store without the layers that were there lacks their
 * compressed bytes: it runs, but neither can it be exported nor anything be built on it (seen with
 * Docker 26). Exporting tells, and costs nothing when that was done before; such an image is built
 * anew there, whole.
 */
export async function buildComplete(
  docker: DockerClient,
  recipe: ImageRecipe,
  options: BuildOptions & { readonly cacheDir: string },
): Promise<BuildOutcome> {
  const { cacheDir, signal, onProgress } = options;
  const outcome = await buildImage(docker, recipe, options);
  if (outcome.kind === "built") return outcome;
  if ((await docker.engineInfo({ signal })).imageStore === "classic") return outcome;
  const { reference } = recipe.image;
  try {
    await exportImage(docker, reference, { cacheDir, signal });
    return outcome;
  } catch (thrown) {
    if (!hasCode(thrown, "image-archive")) throw thrown;
  }
  onProgress?.("it came there in parts, which nothing can be built on: building it anew");
  return buildImage(docker, recipe, { ...options, anew: true });
}
