import { type Duplex, PassThrough, type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import { z } from "zod";
import { AlError } from "../base/errors.ts";
import type { DockerClient } from "./docker-client.ts";
import { engineError } from "./docker-errors.ts";
import type { ImageArchive } from "./image-archive.ts";
import { jsonObjects } from "./json-stream.ts";
import { loadArchive } from "./load-archive.ts";

/** Options of {@link loadImage}. */
export interface LoadOptions {
  /** How many of the lowest layers the host has as a chain; they are not sent. Default 0: all are. */
  readonly presentLayers?: number;
  /** The name it gets. Default: the archive's own. */
  readonly reference?: string;
  /** Default: zstd for engines that read it (23 and later), gzip otherwise. */
  readonly compression?: "none" | "gzip" | "zstd";
  /** Bytes handed over so far, before they are compressed: of {@link missingLayers}, and a few more. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Loads an image into an engine under a reference, sending only the layers it lacks.
 *
 * A containerd store may show the reference of a load that it refused, or that broke off at the end:
 * that the name is there does not mean that the image can be used.
 * @throws AlError `image-load-refused` when the engine does not accept what it got, as it does not
 *   when a layer that was left out is not there after all.
 */
export async function loadImage(
  docker: DockerClient,
  archive: ImageArchive,
  options: LoadOptions = {},
): Promise<{ readonly bytesSent: number }> {
  const { signal, presentLayers = 0, reference = archive.reference } = options;
  const { imageStore, serverVersion } = await docker.engineInfo({ signal });
  const compression = options.compression ?? bestCompression(serverVersion);
  const content = loadArchive(archive, { imageStore, presentLayers, reference, signal });
  const read = new ByteMeter(options.onBytes);
  const meter = new ByteMeter(undefined);
  const sending = pipeline(content, read, compressor(compression), meter).catch((thrown) => {
    meter.destroy(thrown as Error);
  });
  try {
    const answer = await docker.loadStream(meter, { signal });
    await refuseErrors(docker.host, archive.reference, answer);
  } catch (thrown) {
    signal?.throwIfAborted();
    throw engineError(docker.host, `load image ${archive.reference}`, thrown);
  } finally {
    meter.destroy();
    content.destroy();
    await sending;
  }
  return { bytesSent: meter.bytes };
}

const LoadJson = z.object({ error: z.string().optional() });

async function refuseErrors(host: string, reference: string, answer: Readable): Promise<void> {
  for await (const { error } of jsonObjects(answer, LoadJson)) {
    if (error === undefined) continue;
    if (/no space left on device/i.test(error)) throw new Error(error);
    throw new AlError(`${host}: Docker refused image ${reference}: ${error}`, {
      code: "image-load-refused",
      blame: "transient",
      hint: `Look at Docker's log on ${host}; \`al apply\` sends the image again.`,
    });
  }
}

function bestCompression(serverVersion: string): "gzip" | "zstd" {
  return Number.parseInt(serverVersion, 10) >= 23 ? "zstd" : "gzip";
}

function compressor(compression: "none" | "gzip" | "zstd"): Duplex {
  switch (compression) {
    case "none":
      return new PassThrough();
    case "gzip":
      return createGzip({ level: 1 });
    case "zstd":
      return createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  }
}

/** Counts what goes through. */
class ByteMeter extends Transform {
  bytes = 0;
  readonly #onBytes: ((bytesSent: number) => void) | undefined;

  constructor(onBytes: ((bytesSent: number) => void) | undefined) {
    super();
    this.#onBytes = onBytes;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (e: null, chunk: Buffer) => void) {
    this.bytes += chunk.length;
    this.#onBytes?.(this.bytes);
    done(null, chunk);
  }
}
