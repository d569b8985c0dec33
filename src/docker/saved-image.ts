import { posix } from "node:path";
import { Duplex, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { z } from "zod";
import { AlError } from "../base/errors.ts";
import type { ImageCache, StoredLayer } from "./image-cache.ts";

/** One image of what `docker save` gave. */
export interface SavedImage {
  /** Those it was asked for under. */
  readonly references: readonly string[];
  readonly config: Buffer;
  /** Lowest first. */
  readonly layers: readonly StoredLayer[];
}

/**
 * Reads the answer of `docker save` as it streams by and stores its layers, uncompressed.
 * Knows the older form (`<id>/layer.tar`, repeated layers as symbolic links) and the OCI layout
 * of newer engines, whose blobs may be compressed; both name everything in `manifest.json`.
 * Several images saved together share their layers: each is in the archive once.
 * @throws AlError `image-archive` when a layer does not have the digest the image's config claims.
 */
export async function readSavedImages(
  archive: Readable,
  cache: ImageCache,
  signal?: AbortSignal,
): Promise<readonly SavedImage[]> {
  const found: Found = { layers: new Map(), documents: new Map(), links: new Map() };
  const entries = extract();
  const reading = (async () => {
    for await (const entry of entries) await keep(entry as Entry, { found, cache, signal });
  })();
  await Promise.all([pipeline(archive, entries as unknown as Duplex), reading]);
  return assemble(found);
}

interface Found {
  readonly layers: Map<string, StoredLayer>;
  readonly documents: Map<string, Buffer>;
  readonly links: Map<string, string>;
}

type Entry = AsyncIterable<Buffer> & { readonly header: Header };

const MAX_DOCUMENT_BYTES = 8 << 20;

async function keep(
  entry: Entry,
  into: { found: Found; cache: ImageCache; signal: AbortSignal | undefined },
): Promise<void> {
  const { found, cache, signal } = into;
  const name = posix.normalize(entry.header.name);
  if (entry.header.type === "symlink") {
    const target = posix.join(posix.dirname(name), entry.header.linkname ?? "");
    found.links.set(name, target);
    return;
  }
  if (entry.header.type !== "file") return;
  const known = isContentName(name) ? await cache.namedLayer(name) : undefined;
  if (known) {
    found.layers.set(name, known);
    for await (const _skipped of entry);
    return;
  }
  const chunks = entry[Symbol.asyncIterator]();
  const head = await readHead(chunks);
  const whole = restOf(head, chunks);
  if ((entry.header.size ?? 0) <= MAX_DOCUMENT_BYTES && isDocument(name, head)) {
    found.documents.set(name, await collect(whole));
  } else {
    const layer = await cache.putLayer(uncompressed(head, whole), signal);
    found.layers.set(name, layer);
    if (isContentName(name)) await cache.nameLayer(name, layer);
  }
}

/** Engines name layers by a digest of their content, or of their content and what is below it. */
function isContentName(name: string): boolean {
  return /^(?:blobs\/sha256\/[0-9a-f]{64}|[0-9a-f]{64}\/layer\.tar)$/.test(name);
}

/** Enough bytes to tell what a file is. */
const HEAD_BYTES = 512;

async function readHead(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < HEAD_BYTES) {
    const next = await chunks.next();
    if (next.done) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* restOf(head: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** JSON and the small text files of the older form; everything else is a layer. */
function isDocument(name: string, head: Buffer): boolean {
  if (posix.basename(name) === "layer.tar") return false;
  if (!name.startsWith("blobs/")) return true;
  const isTar = head.subarray(257, 262).toString("latin1") === "ustar";
  return head[0] === 0x7b && !isTar;
}

function uncompressed(head: Buffer, whole: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const magic = head.subarray(0, 4).toString("hex");
  if (magic.startsWith("1f8b")) return Duplex.from(whole).compose(createGunzip());
  if (magic === "28b52ffd") return Duplex.from(whole).compose(createZstdDecompress());
  return whole;
}

const ImageManifest = z.object({
  Config: z.string(),
  Layers: z.array(z.string()),
  RepoTags: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
});
type ImageManifest = z.infer<typeof ImageManifest>;

const ManifestJson = z.array(ImageManifest).min(1);
const ConfigJson = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) });

function assemble(found: Found): SavedImage[] {
  const manifests = ManifestJson.parse(document(found, "manifest.json"));
  return manifests.map((manifest) => assembleOne(found, manifest));
}

function assembleOne(found: Found, manifest: ImageManifest): SavedImage {
  const config = found.documents.get(manifest.Config);
  const { rootfs } = ConfigJson.parse(document(found, manifest.Config));
  if (!config || rootfs.diff_ids.length !== manifest.Layers.length) {
    throw broken("its manifest and its configuration list different layers");
  }
  const layers = manifest.Layers.map((name, index) => {
    const layer = found.layers.get(found.links.get(name) ?? name);
    const diffId = rootfs.diff_ids[index];
    if (layer?.diffId !== diffId || !layer) throw broken(`layer ${name} is not ${diffId}`);
    return layer;
  });
  return { references: manifest.RepoTags, config, layers };
}

function document(found: Found, name: string): unknown {
  const bytes = found.documents.get(name);
  if (!bytes) throw broken(`${name} is missing`);
  return JSON.parse(bytes.toString("utf8"));
}

function broken(reason: string): AlError {
  return new AlError(`the engine's export of the image is not usable: ${reason}`, {
    code: "image-archive",
    blame: "bug",
    hint: "Try again; if it stays, rebuild the image or use another builder.",
  });
}
