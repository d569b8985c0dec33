import { Readable } from "node:stream";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import type { SetupOptions } from "./cache.ts";
import type { Engine } from "./engine.ts";
import { createDisk, type HostVolumes } from "./host-disk.ts";
import { ensureHostImage, type HostKind } from "./host-image.ts";
import { generateKeyPair, type KeyPair } from "./keys.ts";
import { checkoutId, currentRun, runLabels } from "./names.ts";
import { ensureLabNetwork, type LabNetwork } from "./network.ts";

/** What a test asks of a host. */
export interface HostOptions extends SetupOptions {
  /** Unique within the run: `one`. */
  readonly name: string;
  /** Default `bookworm`. */
  readonly kind?: HostKind;
  /** The key that user `deploy` accepts; default a new one. */
  readonly clientKey?: KeyPair;
  /** Default a new one. */
  readonly hostKey?: KeyPair;
  /** Images of the machine's engine to load into the host's. */
  readonly preload?: readonly string[];
  /** Size of the disk that holds the host's Docker data, in memory; default the machine's disk. */
  readonly diskBytes?: number;
}

/** A host's container, not yet started, and what belongs to it. */
export interface HostContainer {
  readonly name: string;
  readonly containerName: string;
  readonly volumeName: string | undefined;
  readonly network: LabNetwork;
  readonly address: string;
  readonly clientKey: KeyPair;
  readonly hostKey: KeyPair;
}

/** Makes a host's container with its keys in place and a fresh volume for its Docker data. */
export async function createHostContainer(
  docker: Docker,
  engine: Engine,
  options: HostOptions & { readonly volumes?: HostVolumes },
): Promise<HostContainer> {
  const image = await ensureHostImage(engine, options);
  const network = await ensureLabNetwork(engine);
  const containerName = `al-lab-${checkoutId}-${currentRun().id}-${options.name}`;
  const host: HostContainer = {
    name: options.name,
    containerName,
    volumeName: options.diskBytes === undefined ? `${containerName}-docker` : undefined,
    network,
    address: await freeAddress(docker, network),
    clientKey: options.clientKey ?? generateKeyPair(),
    hostKey: options.hostKey ?? generateKeyPair(),
  };
  const disk = await createDisk(docker, { ...options, ownVolume: host.volumeName });
  const { CgroupVersion } = await docker.info();
  const isolated = isolation(CgroupVersion === "2");
  const container = await docker.createContainer({
    name: containerName,
    Image: image,
    Hostname: options.name,
    Labels: { ...runLabels(currentRun()), [addressLabel]: host.address },
    Env: disk.environment,
    HostConfig: {
      ...isolated,
      Init: true,
      NetworkMode: network.name,
      Binds: [...(isolated.Binds ?? []), ...disk.binds],
      Tmpfs: { "/run": "rw,nosuid,mode=755", ...disk.tmpfs },
    },
    NetworkingConfig: { EndpointsConfig: { [network.name]: endpoint(host.address) } },
  });
  await container.putArchive(keyFiles(host), { path: "/" });
  return host;
}

/** Says which address of the network a container has taken. */
export const addressLabel = "action-llama-lab.address";

/** How a host sits in its network: always at the same address. */
export function endpoint(address: string): Docker.EndpointSettings {
  return { IPAMConfig: { IPv4Address: address } } as Docker.EndpointSettings;
}

let lastNumber = 9;

/** Counts up, so that concurrent starts of one process never get the same address. */
export async function freeAddress(docker: Docker, network: LabNetwork): Promise<string> {
  const hosts = await docker.listContainers({
    all: true,
    filters: { label: [addressLabel], network: [network.name] },
  });
  const taken = new Set(hosts.map(({ Labels }) => Labels[addressLabel]));
  do lastNumber = lastNumber >= 250 ? 10 : lastNumber + 1;
  while (taken.has(`${network.prefix}.${lastNumber}`));
  return `${network.prefix}.${lastNumber}`;
}

/** Without --privileged, which fails where the machine itself lacks CAP_SYS_RESOURCE. */
export function isolation(isCgroup2: boolean): Docker.HostConfig {
  if (isCgroup2) return { Privileged: true, CgroupnsMode: "private" } as Docker.HostConfig;
  const added = ["NET_ADMIN", "SYS_ADMIN", "NET_RAW", "SYS_PTRACE", "MKNOD", "DAC_READ_SEARCH"];
  return {
    CapAdd: added,
    SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
    MaskedPaths: [],
    ReadonlyPaths: [],
    DeviceCgroupRules: ["a *:* rwm"],
    Binds: ["/sys/fs/cgroup:/sys/fs/cgroup:rw"],
  };
}

function keyFiles({ clientKey, hostKey }: HostContainer): Readable {
  const tar = pack();
  const ssh = "etc/ssh/ssh_host_ed25519_key";
  tar.entry({ name: ssh, mode: 0o600 }, hostKey.privateKey);
  tar.entry({ name: `${ssh}.pub`, mode: 0o644 }, `${hostKey.publicKey}\n`);
  const deploy = { uid: 1001, gid: 1001, mode: 0o600 };
  const name = "home/deploy/.ssh/authorized_keys";
  tar.entry({ name, ...deploy }, `${clientKey.publicKey}\n`);
  tar.finalize();
  return Readable.from(tar);
}
