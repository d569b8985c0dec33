import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { cacheDirectory, withLock } from "./cache.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { createHostContainer, type HostOptions } from "./host-container.ts";
import { ensureHostImage } from "./host-image.ts";
import { LabHost } from "./lab-host.ts";

/**
 * The name of a volume with the Docker data of a host that has loaded `preload`; made when
 * missing. A new host copies it in about a second, where loading the images takes ten.
 */
export async function ensureSeed(engine: Engine, options: HostOptions): Promise<string> {
  const docker = connectEngine(engine);
  const images = options.preload ?? [];
  const ids = await Promise.all(
    images.map(async (image) => (await docker.getImage(image).inspect()).Id),
  );
  const hostImage = await ensureHostImage(engine, options);
  const text = JSON.stringify([hostImage, images, ids]);
  const name = `al-lab-seed-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
  if (await isComplete(docker, name)) return name;
  await withLock(name, options, async () => {
    if (await isComplete(docker, name)) return;
    options.log(`preparing the disk of hosts that have ${images.join(", ")}`);
    await removeSeed(docker, name);
    await fill(
      docker,
      engine,
      { name, log: options.log, kind: options.kind ?? "bookworm" },
      images,
    );
    await writeFile(markerOf(name), await createdAt(docker, name));
    await pruneSeeds(docker);
  });
  return name;
}

const seedLabel = "action-llama-lab.seed";

/** Says that a volume was filled to the end, by the time it was created at. */
function markerOf(name: string): string {
  return join(cacheDirectory("seeds"), name);
}

async function isComplete(docker: Docker, name: string): Promise<boolean> {
  const marker = await readFile(markerOf(name), "utf8").catch(() => "");
  return marker !== "" && marker === (await createdAt(docker, name));
}

async function createdAt(docker: Docker, name: string): Promise<string> {
  const volume = await docker
    .getVolume(name)
    .inspect()
    .catch(() => undefined);
  return (volume as { CreatedAt?: string } | undefined)?.CreatedAt ?? "";
}

async function fill(
  docker: Docker,
  engine: Engine,
  options: HostOptions,
  images: readonly string[],
): Promise<void> {
  await docker.createVolume({ Name: options.name, Labels: { [seedLabel]: "yes" } });
  const volumes = { data: options.name };
  const container = await createHostContainer(docker, engine, { ...options, volumes });
  const host = new LabHost(docker, { ...container, volumeName: undefined });
  try {
    await host.start();
    for (const image of images) await host.preload(image);
    await host.shutDown();
  } finally {
    await host.stop();
  }
}

/** What an interrupted process left of a seed, its container included. */
async function removeSeed(docker: Docker, name: string): Promise<void> {
  const users = await docker.listContainers({ all: true, filters: { volume: [name] } });
  for (const { Id } of users) await docker.getContainer(Id).remove({ force: true });
  await docker.getVolume(name).remove().catch(ignore);
}

/** Seeds are big (300 MB each): the newest eight stay, and those in use. */
async function pruneSeeds(docker: Docker): Promise<void> {
  const { Volumes } = await docker.listVolumes({ filters: { label: [seedLabel] } });
  const age = (volume: object) => (volume as { CreatedAt?: string }).CreatedAt ?? "";
  const oldest = [...(Volumes ?? [])].sort((a, b) => age(b).localeCompare(age(a))).slice(8);
  for (const { Name } of oldest) await docker.getVolume(Name).remove().catch(ignore);
}

function ignore(): void {}
