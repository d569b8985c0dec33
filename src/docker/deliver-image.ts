import { performance } from "node:perf_hooks";
import { mapBounded } from "../base/concurrency.ts";
import { AlError, hasCode } from "../base/errors.ts";
import { LABELS } from "../core/names.ts";
import type { LabelFilter } from "./container-calls.ts";
import type { DockerClient } from "./docker-client.ts";
import { diskFull } from "./docker-errors.ts";
import type { ImageArchive } from "./image-archive.ts";
import type { ImageDetails } from "./image-calls.ts";
import { missingLayers, presentLayers } from "./missing-layers.ts";
import { type LoadOptions, loadImage } from "./partial-load.ts";

/** Options of {@link deliverImage}. */
export interface DeliverOptions {
  /** Free bytes where the engine keeps its data; unchecked when absent. */
  readonly freeBytes?: number | undefined;
  readonly compression?: LoadOptions["compression"];
  /** Text for people, at most once a second, such as `image x: 12 of 121 MB`. */
  readonly onProgress?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a delivery sent. */
export interface Delivery {
  readonly kind: "present" | "partial" | "full";
  /** Compressed, without the protocol's own. */
  readonly bytesSent: number;
}

/**
 * Makes sure a host has an image under its reference, and verifies it by inspecting afterwards.
 * Idempotent. Only missing layers are sent; if the engine refuses that, everything is sent once.
 * @throws AlError `disk-full` before anything is sent, `image-verify-failed`, `image-load-refused`.
 */
export async function deliverImage(
  docker: DockerClient,
  archive: ImageArchive,
  options: DeliverOptions = {},
): Promise<Delivery> {
  const { signal } = options;
  if (isDelivered(await docker.inspectImage(archive.reference, { signal }), archive)) {
    return { kind: "present", bytesSent: 0 };
  }
  const present = await presentOnHost(docker, archive, signal);
  refuseFullDisk(docker.host, archive, { present, freeBytes: options.freeBytes });
  if (present === 0) return sendAndVerify(docker, archive, options, 0);
  try {
    return await sendAndVerify(docker, archive, options, present);
  } catch (thrown) {
    if (!hasCode(thrown, "image-load-refused") && !hasCode(thrown, "image-verify-failed")) {
      throw thrown;
    }
    refuseFullDisk(docker.host, archive, { present: 0, freeBytes: options.freeBytes });
    return sendAndVerify(docker, archive, options, 0);
  }
}

/** How many of the image's lowest layers the engine already has as a chain. */
async function presentOnHost(
  docker: DockerClient,
  archive: ImageArchive,
  signal: AbortSignal | undefined,
): Promise<number> {
  const diffIds = archive.layers.map(({ diffId }) => diffId);
  const among = async (labels: LabelFilter) => {
    const images = await docker.listImages(labels, { signal });
    const details = await mapBounded(images, 8, ({ id }) => docker.inspectImage(id, { signal }));
    return presentLayers(
      diffIds,
      details.flatMap((image) => (image ? [image.diffIds] : [])),
    );
  };
  // Ours are few and most alike; a machine may have hundreds of others.
  return (await among({ [LABELS.project]: true })) || (await among({}));
}

const SPARE_BYTES = 200e6;

/** The engine unpacks beside what it received, hence more than the layers' own size. */
function refuseFullDisk(
  host: string,
  archive: ImageArchive,
  room: { readonly present: number; readonly freeBytes: number | undefined },
): void {
  const layers = missingLayers(archive.layers, room.present);
  const needed = layers.reduce((sum, { size }) => sum + size, 0) * 1.3 + SPARE_BYTES;
  if (room.freeBytes === undefined || room.freeBytes >= needed) return;
  throw diskFull(
    `${host}: image ${archive.reference} needs ${megabytes(needed)} of disk, ${megabytes(room.freeBytes)} are free`,
  );
}

/**
 * Loads under a name of its own and gives the real one only to what was accepted and verified: on
 * containerd stores a refused or interrupted load leaves its name behind.
 */
async function sendAndVerify(
  docker: DockerClient,
  archive: ImageArchive,
  options: DeliverOptions,
  present: number,
): Promise<Delivery> {
  const { signal, compression, onProgress } = options;
  const reference = `${archive.reference}-incoming`;
  try {
    const { bytesSent } = await loadImage(docker, archive, {
      reference,
      presentLayers: present,
      ...(compression && { compression }),
      ...(onProgress && { onBytes: progressText(archive, present, onProgress) }),
      signal,
    });
    if (!isDelivered(await docker.inspectImage(reference, { signal }), archive)) {
      throw notWhatWasSent(docker.host, archive.reference);
    }
    await docker.tagImage(reference, archive.reference, { signal });
    return { kind: present > 0 ? "partial" : "full", bytesSent };
  } finally {
    // Not under the signal, and no reason to fail: the next delivery removes it too.
    await docker.removeImage(reference).catch(() => {});
  }
}

function notWhatWasSent(host: string, reference: string): AlError {
  return new AlError(`${host}: image ${reference} is not what was sent`, {
    code: "image-verify-failed",
    blame: "transient",
    hint: `Look at Docker's log on ${host}; \`al apply\` sends the image again.`,
  });
}

function isDelivered(image: ImageDetails | undefined, archive: ImageArchive): boolean {
  return (
    image !== undefined &&
    (image.labels[LABELS.specHash] ?? "") === archive.specHash &&
    image.diffIds.length === archive.layers.length &&
    image.diffIds.every((diffId, index) => diffId === archive.layers[index]?.diffId)
  );
}

const PROGRESS_INTERVAL_MS = 1000;

/** Says how much of the missing layers has gone out, at most once a second. */
function progressText(
  archive: ImageArchive,
  present: number,
  onProgress: (text: string) => void,
): (bytes: number) => void {
  const layers = missingLayers(archive.layers, present);
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  let saidAt = performance.now();
  return (bytes) => {
    const now = performance.now();
    if (now - saidAt < PROGRESS_INTERVAL_MS) return;
    saidAt = now;
    const sent = Math.round(Math.min(bytes, total) / 1e6);
    onProgress(`image ${archive.reference}: ${sent} of ${megabytes(total)}`);
  };
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
