import { dirname } from "node:path";
import type Docker from "dockerode";
import { currentRun, runLabels } from "./names.ts";

/** The volumes of a host that are not simply its own. */
export interface HostVolumes {
  /** Holds the Docker data that a new host starts with. */
  readonly seed?: string;
  /** An existing volume for the host's Docker data; default a new one that dies with the host. */
  readonly data?: string;
}

/** What makes the disk of a host: its Docker data, at /var/lib/docker. */
export interface DiskOptions {
  readonly volumes?: HostVolumes;
  /** Makes it a disk in memory of this size. */
  readonly diskBytes?: number;
  /** The volume to create for it. */
  readonly ownVolume?: string | undefined;
}

/** A disk as the parts of a container's configuration. */
export interface Disk {
  readonly binds: readonly string[];
  readonly tmpfs: Readonly<Record<string, string>>;
  /** Tells host-start.sh what to fill it with. */
  readonly environment: string[];
}

/** Makes a host's disk; it is filled from the seed when the host starts for the first time. */
export async function createDisk(docker: Docker, options: DiskOptions): Promise<Disk> {
  const { volumes = {}, diskBytes, ownVolume = "" } = options;
  const binds = await seedBinds(docker, volumes.seed);
  const environment = volumes.seed === undefined ? [] : [`SEED=${volumes.seed}`];
  if (diskBytes !== undefined) {
    return { binds, tmpfs: { "/var/lib/docker": `rw,size=${diskBytes}` }, environment };
  }
  if (volumes.data === undefined) {
    await docker.createVolume({ Name: ownVolume, Labels: runLabels(currentRun()) });
  }
  const name = volumes.data ?? ownVolume;
  environment.push(`DISK=${name}`);
  return { binds: [...binds, `${name}:/var/lib/docker`], tmpfs: {}, environment };
}

/** Seed and disk are seen below one mount, since hard links do not cross two. */
async function seedBinds(docker: Docker, seed: string | undefined): Promise<string[]> {
  if (seed === undefined) return [];
  const { Mountpoint } = await docker.getVolume(seed).inspect();
  return [`${dirname(dirname(Mountpoint))}:/lab-volumes`];
}
