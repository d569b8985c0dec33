import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { z } from "zod";
import { AlError } from "../base/errors.ts";
import { sha256 } from "../core/fingerprint.ts";
import { LABELS } from "../core/names.ts";
import { coalesce } from "./coalesce.ts";
import type { DockerClient } from "./docker-client.ts";
import { engineError } from "./docker-errors.ts";
import { ImageCache, type ImageRecord } from "./image-cache.ts";
import { readSavedImage } from "./saved-image.ts";

/** One layer of an exported image. */
export interface ArchiveLayer {
  /** Digest of the uncompressed bytes, `sha256:` and hex. */
  readonly diffId: string;
  /** Uncompressed bytes. */
  readonly size: number;
  /** The uncompressed bytes, from the cache on disk. */
  open(): Readable;
}

/** An exported image, ready to be sent to any number of hosts. */
export interface ImageArchive {
  readonly reference: string;
  /** The value of the image's spec-hash label; empty for an image that is not ours. */
  readonly specHash: string;
  readonly configBytes: Buffer;
  /** `sha256:` and hex. */
  readonly configDigest: string;
  /** Lowest first. */
  readonly layers: readonly ArchiveLayer[];
}

/** Options of {@link exportImage}. */
export interface ExportOptions {
  /** Where layers are kept; content-addressed, shared by all images and engines. */
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Exports an image of ours; `docker save` runs only for an image id the cache does not know,
 * once at a time in this process. Every layer was verified against its diffID when it was stored.
 * @throws AlError `image-missing` when the builder has no such image.
 */
export async function exportImage(
  docker: DockerClient,
  reference: string,
  { cacheDir, signal }: ExportOptions,
): Promise<ImageArchive> {
  const directory = resolve(cacheDir);
  const key = { owner: docker, name: `export ${reference} ${directory}`, signal };
  return coalesce(key, async () => {
    const details = await docker.inspectImage(reference, { signal });
    if (!details) throw missing(docker.host, reference);
    const cache = new ImageCache(directory);
    const known = await cache.image(details.id);
    const record = known ?? (await save({ docker, reference, cache, signal }));
    if (!known) await cache.putImage(details.id, record);
    return archiveOf(reference, record, cache);
  });
}

/** Removes from an export cache what was not used for `maxAgeMs`. */
export async function pruneExports(cacheDir: string, maxAgeMs: number, nowMs: number) {
  await new ImageCache(resolve(cacheDir)).prune(new Date(nowMs - maxAgeMs));
}

async function save(options: {
  readonly docker: DockerClient;
  readonly reference: string;
  readonly cache: ImageCache;
  readonly signal: AbortSignal | undefined;
}): Promise<ImageRecord> {
  const { docker, reference, cache, signal } = options;
  await cache.prepare();
  const stream = await docker.saveStream(reference, { signal });
  try {
    const { config, layers } = await readSavedImage(stream, cache, signal);
    return { config: config.toString("base64"), layers: [...layers] };
  } catch (thrown) {
    signal?.throwIfAborted();
    throw engineError(docker.host, `export image ${reference}`, thrown);
  } finally {
    stream.destroy();
  }
}

const ConfigJson = z.object({
  config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
});

function archiveOf(reference: string, record: ImageRecord, cache: ImageCache): ImageArchive {
  const configBytes = Buffer.from(record.config, "base64");
  const labels = ConfigJson.parse(JSON.parse(configBytes.toString("utf8"))).config?.Labels;
  return {
    reference,
    specHash: labels?.[LABELS.specHash] ?? "",
    configBytes,
    configDigest: `sha256:${sha256(configBytes)}`,
    layers: record.layers.map(({ diffId, size }) => ({
      diffId,
      size,
      open: () => cache.openLayer(diffId),
    })),
  };
}

function missing(host: string, reference: string): AlError {
  return new AlError(`${host}: there is no image ${reference} to export`, {
    code: "image-missing",
    blame: "bug",
    hint: "Build it first.",
  });
}
