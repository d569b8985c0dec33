import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { z } from "zod";
import { mapBounded } from "../base/concurrency.ts";
import { AlError } from "../base/errors.ts";
import { sha256 } from "../core/fingerprint.ts";
import { LABELS } from "../core/names.ts";
import { coalesce } from "./coalesce.ts";
import type { DockerClient } from "./docker-client.ts";
import { engineError } from "./docker-errors.ts";
import { ImageCache, type ImageRecord } from "./image-cache.ts";
import { readSavedImages, type SavedImage } from "./saved-image.ts";

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

/** Options of {@link exportImages}. */
export interface ExportOptions {
  /** Where layers are kept; content-addressed, shared by all images and engines. */
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Exports images of ours, in their order; one `docker save` runs for all whose ids the cache does
 * not know, so that layers they share cost once. Equal requests at the same time share one export.
 * Every layer was verified against its diffID when it was stored.
 * @throws AlError `image-missing` when the builder lacks one of them.
 */
export async function exportImages(
  docker: DockerClient,
  references: readonly string[],
  { cacheDir, signal }: ExportOptions,
): Promise<readonly ImageArchive[]> {
  const directory = resolve(cacheDir);
  const key = { owner: docker, name: `export ${references.join(" ")} ${directory}`, signal };
  return coalesce(key, async () => {
    const cache = new ImageCache(directory);
    const found = await mapBounded(references, 8, async (reference) => {
      const details = await docker.inspectImage(reference, { signal });
      if (!details) throw missing(docker.host, reference);
      return { reference, id: details.id, record: await cache.image(details.id) };
    });
    const unknown = found.filter(({ record }) => record === undefined);
    const saved = await save({ docker, images: unknown, cache, signal });
    return found.map(({ reference, record }) =>
      archiveOf(reference, record ?? (saved.get(reference) as ImageRecord), cache),
    );
  });
}

/** {@link exportImages} for one. */
export async function exportImage(
  docker: DockerClient,
  reference: string,
  options: ExportOptions,
): Promise<ImageArchive> {
  const [archive] = await exportImages(docker, [reference], options);
  return archive as ImageArchive;
}

/** Removes from an export cache what was not used for `maxAgeMs`. */
export async function pruneExports(cacheDir: string, maxAgeMs: number, nowMs: number) {
  await new ImageCache(resolve(cacheDir)).prune(new Date(nowMs - maxAgeMs));
}

async function save(options: {
  readonly docker: DockerClient;
  readonly images: readonly { readonly reference: string; readonly id: string }[];
  readonly cache: ImageCache;
  readonly signal: AbortSignal | undefined;
}): Promise<ReadonlyMap<string, ImageRecord>> {
  const { docker, images, cache, signal } = options;
  const records = new Map<string, ImageRecord>();
  if (images.length === 0) return records;
  const references = images.map(({ reference }) => reference);
  await cache.prepare();
  const stream = await docker.saveStream(references, { signal });
  try {
    const saved = await readSavedImages(stream, cache, signal);
    for (const { reference, id } of images) {
      const record = recordOf(reference, references, saved);
      await cache.putImage(id, record);
      records.set(reference, record);
    }
    return records;
  } catch (thrown) {
    signal?.throwIfAborted();
    throw engineError(docker.host, `export image ${references.join(", ")}`, thrown);
  } finally {
    stream.destroy();
  }
}

/** Which of the saved images a reference is; one saved alone is it, whatever the engine calls it. */
function recordOf(
  reference: string,
  references: readonly string[],
  saved: readonly SavedImage[],
): ImageRecord {
  const alone = references.length === 1 && saved.length === 1 ? saved[0] : undefined;
  const named = (names: readonly string[]) =>
    names.some((name) => name.replace(/^docker\.io\/(?:library\/)?/, "") === reference);
  const image = alone ?? saved.find(({ references: names }) => named(names));
  if (!image) {
    throw new AlError(`the engine's export lacks image ${reference}`, {
      code: "image-archive",
      blame: "bug",
    });
  }
  return { config: image.config.toString("base64"), layers: [...image.layers] };
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
