import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { errnoOf } from "../base/errors.ts";

/** A layer as the cache holds it: uncompressed, so that its digest is its diffID. */
export const StoredLayer = z.object({
  /** `sha256:` and hex. */
  diffId: z.string(),
  size: z.number(),
});
export type StoredLayer = Readonly<z.infer<typeof StoredLayer>>;

/** What is known of an exported image; its layers lie beside it, shared with other images. */
export const ImageRecord = z.object({
  config: z.base64(),
  layers: z.array(StoredLayer),
});
export type ImageRecord = z.infer<typeof ImageRecord>;

/** A directory of layers and image records, named by digest; safe for several processes at once. */
export class ImageCache {
  readonly #layers: string;
  readonly #images: string;
  readonly #names: string;
  readonly #temporary: string;

  constructor(directory: string) {
    this.#layers = join(directory, "layers");
    this.#images = join(directory, "images");
    this.#names = join(directory, "names");
    this.#temporary = join(directory, "tmp");
  }

  /** Makes the directories. */
  async prepare(): Promise<void> {
    for (const directory of [this.#layers, this.#images, this.#names, this.#temporary]) {
      await mkdir(directory, { recursive: true });
    }
  }

  /** The record of an image whose layers are all here, or undefined. */
  async image(id: string): Promise<ImageRecord | undefined> {
    const path = join(this.#images, fileName(id));
    const text = await readFile(path, "utf8").catch(undefinedIfMissing);
    const record = text === undefined ? undefined : ImageRecord.safeParse(parseJson(text)).data;
    if (!record) return undefined;
    for (const layer of record.layers) if (!(await this.#has(layer))) return undefined;
    const now = new Date();
    await utimes(path, now, now);
    return record;
  }

  async putImage(id: string, record: ImageRecord): Promise<void> {
    await this.#write(join(this.#images, fileName(id)), JSON.stringify(record));
  }

  /** A layer stored before under what an engine calls it, which must imply its content. */
  async namedLayer(name: string): Promise<StoredLayer | undefined> {
    const text = await readFile(join(this.#names, fileName(name)), "utf8").catch(
      undefinedIfMissing,
    );
    const layer = text === undefined ? undefined : StoredLayer.safeParse(parseJson(text)).data;
    return layer && (await this.#has(layer)) ? layer : undefined;
  }

  async nameLayer(name: string, layer: StoredLayer): Promise<void> {
    await this.#write(join(this.#names, fileName(name)), JSON.stringify(layer));
  }

  /** Stores a layer's uncompressed bytes under their digest, which it finds out. */
  async putLayer(bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<StoredLayer> {
    const temporary = join(this.#temporary, randomUUID());
    const hash = createHash("sha256");
    let size = 0;
    const measure = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        size += chunk.length;
        done(null, chunk);
      },
    });
    try {
      const file = createWriteStream(temporary, { flags: "wx", flush: true });
      await pipeline(bytes, measure, file, signal ? { signal } : {});
      const layer = { diffId: `sha256:${hash.digest("hex")}`, size };
      if (await this.#has(layer)) await rm(temporary);
      else await rename(temporary, this.#layerPath(layer.diffId));
      return layer;
    } catch (thrown) {
      await rm(temporary, { force: true });
      throw thrown;
    }
  }

  openLayer(diffId: string): Readable {
    return createReadStream(this.#layerPath(diffId), { highWaterMark: 1 << 20 });
  }

  /** Removes images not used since `before`, then layers and leftovers nothing refers to. */
  async prune(before: Date): Promise<void> {
    const used = new Set<string>();
    for (const path of await filesOf(this.#images)) {
      const record = ImageRecord.safeParse(parseJson(await readFile(path, "utf8"))).data;
      if (!record || (await stat(path)).mtime < before) await rm(path, { force: true });
      else for (const { diffId } of record.layers) used.add(this.#layerPath(diffId));
    }
    const others = [this.#layers, this.#names, this.#temporary];
    for (const path of (await Promise.all(others.map(filesOf))).flat()) {
      // A young file may belong to an export under way.
      if (used.has(path) || (await stat(path)).mtime >= before) continue;
      await rm(path, { force: true });
    }
  }

  async #write(path: string, text: string): Promise<void> {
    const temporary = join(this.#temporary, randomUUID());
    await writeFile(temporary, text, { flag: "wx", flush: true });
    await rename(temporary, path);
  }

  async #has(layer: StoredLayer): Promise<boolean> {
    const found = await stat(this.#layerPath(layer.diffId)).catch(undefinedIfMissing);
    return found?.size === layer.size;
  }

  #layerPath(diffId: string): string {
    return join(this.#layers, fileName(diffId));
  }
}

function fileName(digest: string): string {
  return digest.replace(/^sha256:/, "").replace(/[^\w.-]/g, "_");
}

async function filesOf(directory: string): Promise<string[]> {
  const names = (await readdir(directory).catch(undefinedIfMissing)) ?? [];
  return names.sort().map((name) => join(directory, name));
}

function undefinedIfMissing(thrown: unknown): undefined {
  if (errnoOf(thrown) === "ENOENT") return undefined;
  throw thrown;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
