import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { extract, type Pack, pack } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ImageArchive } from "../../../src/docker/image-archive.ts";
import { ImageCache } from "../../../src/docker/image-cache.ts";
import { loadArchive } from "../../../src/docker/load-archive.ts";
import { readSavedImages } from "../../../src/docker/saved-image.ts";

const layerA = await layer("a.txt", 3000);
const layerB = await layer("b.txt", 10);
const empty = Buffer.alloc(1024);

let directory: string;
let cache: ImageCache;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-archive-"));
  cache = new ImageCache(directory);
  await cache.prepare();
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test("the older form is read, with a repeated layer as a symbolic link", async () => {
  const names = ["1", "2", "3", "4"].map((digit) => `${digit.repeat(64)}/layer.tar`);
  const config = configOf([layerA, empty, layerB, empty]);
  const saved = archive([
    [{ name: `${hex(config)}.json` }, config],
    [{ name: `${"1".repeat(64)}/VERSION` }, Buffer.from("1.0")],
    [{ name: names[0] as string }, layerA],
    [{ name: names[1] as string }, empty],
    [{ name: names[2] as string }, layerB],
    [{ name: names[3] as string, type: "symlink", linkname: `../${names[1]}` }, undefined],
    [{ name: "manifest.json" }, manifestOf(`${hex(config)}.json`, names)],
  ]);
  const [image] = await readSavedImages(saved, cache);
  if (!image) throw new Error("no image");
  expect(image.config.equals(config)).toBe(true);
  expect(image.layers).toEqual([stored(layerA), stored(empty), stored(layerB), stored(empty)]);
  expect(await stock()).toEqual([layerA, layerB, empty].map(hex).sort());
});

test.each([
  ["plain", (bytes: Buffer) => bytes],
  ["gzip", (bytes: Buffer) => gzipSync(bytes)],
  ["zstd", (bytes: Buffer) => zstdCompressSync(bytes)],
])("an OCI layout with %s blobs is read, layers uncompressed", async (_name, compress) => {
  const config = configOf([layerA, layerB]);
  const blobs = [layerA, layerB].map(compress);
  const names = blobs.map((bytes) => `blobs/sha256/${hex(bytes)}`);
  const entries: Entry[] = [
    [{ name: "blobs/", type: "directory" }, undefined],
    ...blobs.map((bytes, index): Entry => [{ name: names[index] as string }, bytes]),
    [{ name: `blobs/sha256/${hex(config)}` }, config],
    [{ name: "index.json" }, Buffer.from("{}")],
    [{ name: "manifest.json" }, manifestOf(`blobs/sha256/${hex(config)}`, names)],
  ];
  expect((await readSavedImages(archive(entries), cache))[0]?.layers).toEqual([
    stored(layerA),
    stored(layerB),
  ]);
  const opened = await buffer(cache.openLayer(stored(layerA).diffId));
  expect(opened.equals(layerA)).toBe(true);
});

test("a layer that is not what the configuration claims is refused", async () => {
  const config = configOf([layerB]);
  const name = `${"1".repeat(64)}/layer.tar`;
  const saved = archive([
    [{ name }, layerA],
    [{ name: "c.json" }, config],
    [{ name: "manifest.json" }, manifestOf("c.json", [name])],
  ]);
  await expect(readSavedImages(saved, cache)).rejects.toMatchObject({ code: "image-archive" });
});

test("an export that breaks off leaves nothing half stored", async () => {
  const whole = await buffer(archive([[{ name: `blobs/sha256/${hex(layerA)}` }, layerA]]));
  const broken = async function* () {
    yield whole.subarray(0, 1500);
    throw new Error("the engine went away");
  };
  await expect(readSavedImages(Readable.from(broken()), cache)).rejects.toThrow("went away");
  expect(await stock()).toEqual([]);
  expect(await readdir(join(directory, "tmp"))).toEqual([]);
});

test("a record counts only while all its layers are there", async () => {
  const layers = [await cache.putLayer(Readable.from([layerA]))];
  await cache.putImage("sha256:1", { config: "e30=", layers });
  expect(await cache.image("sha256:1")).toEqual({ config: "e30=", layers });
  expect(await cache.image("sha256:2")).toBeUndefined();
  await rm(join(directory, "layers", hex(layerA)));
  expect(await cache.image("sha256:1")).toBeUndefined();
});

test("pruning removes old images and the layers only they used", async () => {
  const shared = await cache.putLayer(Readable.from([layerA]));
  const own = await cache.putLayer(Readable.from([layerB]));
  await cache.putImage("sha256:old", { config: "e30=", layers: [shared, own] });
  await cache.putImage("sha256:new", { config: "e30=", layers: [shared] });
  const yesterday = new Date(Date.now() - 86_400_000);
  for (const path of ["images/old", `layers/${hex(layerA)}`, `layers/${hex(layerB)}`]) {
    await utimes(join(directory, path), yesterday, yesterday);
  }
  await cache.prune(new Date(Date.now() - 3_600_000));
  expect(await cache.image("sha256:old")).toBeUndefined();
  expect(await cache.image("sha256:new")).toBeDefined();
  expect(await stock()).toEqual([hex(layerA)]);
});

test("a partial archive for classic stores lists every layer and holds the missing ones", async () => {
  const options = { imageStore: "classic", presentLayers: 1, reference: "al-p/agent:2" } as const;
  const entries = await entriesOf(loadArchive(sample(), options));
  const [, configName] = [...entries.keys()];
  expect([...entries.keys()]).toEqual([
    "manifest.json",
    configName,
    `${hex(layerB)}/layer.tar`,
    `${hex(empty)}/layer.tar`,
  ]);
  expect(JSON.parse(String(entries.get("manifest.json")))).toEqual([
    {
      Config: configName,
      RepoTags: ["al-p/agent:2"],
      Layers: [layerA, layerB, empty, empty].map((bytes) => `${hex(bytes)}/layer.tar`),
    },
  ]);
});

test("a partial archive for containerd stores is an OCI layout whose digests are the diffIDs", async () => {
  const options = {
    imageStore: "containerd",
    presentLayers: 2,
    reference: "al-p/agent:2",
  } as const;
  const entries = await entriesOf(loadArchive(sample(), options));
  const index = JSON.parse(String(entries.get("index.json")));
  const [descriptor] = index.manifests;
  expect(descriptor.annotations).toEqual({
    "io.containerd.image.name": "docker.io/al-p/agent:2",
    "org.opencontainers.image.ref.name": "2",
  });
  const manifestName = `blobs/sha256/${descriptor.digest.slice(7)}`;
  const manifest = JSON.parse(String(entries.get(manifestName)));
  expect(manifest.layers.map(({ digest }: { digest: string }) => digest)).toEqual(
    [layerA, layerB, empty, empty].map((bytes) => `sha256:${hex(bytes)}`),
  );
  expect([...entries.keys()].filter((name) => name === `blobs/sha256/${hex(empty)}`)).toHaveLength(
    1,
  );
  expect(entries.has(`blobs/sha256/${hex(layerB)}`)).toBe(false);
  for (const [name, bytes] of entries) {
    if (name.startsWith("blobs/sha256/")) expect(hex(bytes)).toBe(name.slice(13));
  }
});

type Entry = [Parameters<Pack["entry"]>[0], Buffer | undefined];

function sample(): ImageArchive {
  const layers = [layerA, layerB, empty, empty];
  const config = configOf(layers);
  return {
    reference: "al-p/agent:1",
    specHash: "1",
    configBytes: config,
    configDigest: `sha256:${hex(config)}`,
    layers: layers.map((bytes) => ({ ...stored(bytes), open: () => Readable.from([bytes]) })),
  };
}

async function layer(name: string, size: number): Promise<Buffer> {
  return buffer(archive([[{ name, mtime: new Date(0) }, Buffer.alloc(size, name)]]));
}

function hex(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function stored(bytes: Buffer) {
  return { diffId: `sha256:${hex(bytes)}`, size: bytes.length };
}

function configOf(layers: readonly Buffer[]): Buffer {
  const diff_ids = layers.map((bytes) => `sha256:${hex(bytes)}`);
  return Buffer.from(JSON.stringify({ rootfs: { type: "layers", diff_ids } }));
}

function manifestOf(Config: string, Layers: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify([{ Config, RepoTags: [], Layers }]));
}

function archive(entries: readonly Entry[]): Readable {
  const tar = pack();
  for (const [header, bytes] of entries) bytes ? tar.entry(header, bytes) : tar.entry(header);
  tar.finalize();
  return Readable.from(tar);
}

async function entriesOf(tar: Readable): Promise<Map<string, Buffer>> {
  const entries = new Map<string, Buffer>();
  for await (const entry of tar.pipe(extract()))
    entries.set(entry.header.name, await buffer(entry));
  return entries;
}

async function stock(): Promise<string[]> {
  return (await readdir(join(directory, "layers"))).sort();
}
