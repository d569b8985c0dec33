import { ensureBaseImage } from "./base-image.ts";
import type { SetupOptions } from "./cache.ts";
import { type Engine, ensureEngine } from "./engine.ts";
import { ensureHostImage } from "./host-image.ts";

/** What every test of the lab starts from. */
export interface Lab {
  readonly engine: Engine;
  /** Name of the image that stands in for the registry's node slim image. */
  readonly baseImage: string;
  /** Name of the image that hosts are started from. */
  readonly hostImage: string;
}

/**
 * Makes the machine ready for hosts: an engine, the base image, the image of the default host.
 * About a minute on a bare machine, a tenth of a second afterwards; tests call it freely.
 */
export async function setUpLab(options: SetupOptions): Promise<Lab> {
  const engine = await ensureEngine(options);
  const [baseImage, hostImage] = await Promise.all([
    ensureBaseImage(engine, options),
    ensureHostImage(engine, options),
  ]);
  return { engine, baseImage, hostImage };
}
