import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import { canonicalJson, type Json } from "../base/canonical-json.ts";
import { sha256 } from "../core/fingerprint.ts";
import type { ArchiveLayer, ImageArchive } from "./image-archive.ts";
import { missingLayers } from "./missing-layers.ts";

/** Which archive to write. */
export interface LoadArchiveOptions {
  /** `classic` stores take a docker-archive, `containerd` stores an OCI layout; neither takes both. */
  readonly imageStore: "classic" | "containerd";
  /** How many of the lowest layers are left out, though the manifest lists them. */
  readonly presentLayers: number;
  /** The name the engine gives it. */
  readonly reference: string;
  readonly signal?: AbortSignal | undefined;
}

/** A tar archive for `docker load`, written as it is read: no layer is ever held in memory. */
export function loadArchive(image: ImageArchive, options: LoadArchiveOptions): Readable {
  const archive = pack({ highWaterMark: 1 << 20 });
  const write = options.imageStore === "classic" ? writeDockerArchive : writeOciLayout;
  const layers = missingLayers(image.layers, options.presentLayers);
  const { reference, signal } = options;
  write(archive, { image, layers, reference, signal }).then(
    () => archive.finalize(),
    (thrown) => archive.destroy(thrown),
  );
  return archive as unknown as Readable;
}

interface Contents {
  readonly image: ImageArchive;
  /** Those to write. */
  readonly layers: readonly ArchiveLayer[];
  readonly reference: string;
  readonly signal: AbortSignal | undefined;
}

/** The engine looks a layer up by its chain before it opens the file named here, which may be missing. */
async function writeDockerArchive(archive: Pack, contents: Contents): Promise<void> {
  const { image, layers, reference, signal } = contents;
  const config = `${hexOf(image.configDigest)}.json`;
  const manifest = [
    {
      Config: config,
      RepoTags: [reference],
      Layers: image.layers.map(({ diffId }) => layerName(diffId)),
    },
  ];
  writeDocument(archive, "manifest.json", Buffer.from(canonicalJson(manifest)));
  writeDocument(archive, config, image.configBytes);
  for (const layer of layers) await writeLayer(archive, layerName(layer.diffId), layer, signal);
}

function layerName(diffId: string): string {
  return `${hexOf(diffId)}/layer.tar`;
}

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

async function writeOciLayout(archive: Pack, contents: Contents): Promise<void> {
  const { image, layers, reference, signal } = contents;
  const manifest = Buffer.from(canonicalJson(ociManifest(image)));
  const manifestDigest = `sha256:${sha256(manifest)}`;
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [
      {
        mediaType: MANIFEST_TYPE,
        digest: manifestDigest,
        size: manifest.length,
        annotations: {
          "io.containerd.image.name": fullName(reference),
          "org.opencontainers.image.ref.name": reference.split(":").at(-1),
        },
      },
    ],
  };
  writeDocument(archive, "oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  writeDocument(archive, "index.json", Buffer.from(canonicalJson(index as unknown as Json)));
  writeDocument(archive, blobName(manifestDigest), manifest);
  writeDocument(archive, blobName(image.configDigest), image.configBytes);
  for (const layer of layers) await writeLayer(archive, blobName(layer.diffId), layer, signal);
}

function ociManifest(image: ImageArchive): Json {
  return {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: image.configDigest,
      size: image.configBytes.length,
    },
    layers: image.layers.map(({ diffId, size }) => ({
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      digest: diffId,
      size,
    })),
  };
}

/** containerd wants the registry's name too, even when there is no registry. */
function fullName(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  if (rest.length === 0) return `docker.io/library/${reference}`;
  return /[.:]|^localhost$/.test(first) ? reference : `docker.io/${reference}`;
}

function blobName(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, "");
}

const HEADER = { mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) };

function writeDocument(archive: Pack, name: string, bytes: Buffer): void {
  archive.entry({ name, ...HEADER }, bytes);
}

async function writeLayer(
  archive: Pack,
  name: string,
  layer: ArchiveLayer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const entry = archive.entry({ name, size: layer.size, ...HEADER });
  await pipeline(layer.open(), entry, signal ? { signal } : {});
}
