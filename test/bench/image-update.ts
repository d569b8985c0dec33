import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Secret } from "../../src/base/secret.ts";
import { buildImage } from "../../src/docker/build.ts";
import { deliverImage } from "../../src/docker/deliver-image.ts";
import { type DockerClient, openDocker } from "../../src/docker/docker-client.ts";
import { exportImage, type ImageArchive } from "../../src/docker/image-archive.ts";
import { openLocal } from "../../src/transport/local.ts";
import { connectSsh } from "../../src/transport/ssh.ts";
import { file, recipeOf } from "../conformance/docker-recipes.ts";
import { mustRun } from "../lab/command.ts";
import { type DelayProxy, startDelayProxy } from "../lab/delay-proxy.ts";
import type { World } from "../world/world.ts";

const LAYER_BYTES = 1_000_000;
const ROUNDS = 3;

/** An image with one small layer more than what the host has, delivered in two ways. */
export interface ImageUpdate {
  /** Medians. */
  readonly deliveryMs: number;
  readonly exportMs: number;
  /** `docker save | ssh docker load` of the same image. */
  readonly peerMs: number;
  /** The largest of what went towards the host, SSH and handshake included. */
  readonly sentBytes: number;
  /** Uncompressed size of the layers the host lacked in that round. */
  readonly missingBytes: number;
}

interface Ways {
  readonly builder: DockerClient;
  readonly host: DockerClient;
  readonly proxy: DelayProxy;
  readonly cacheDir: string;
  /** Sends an image as the peer does. */
  peer(reference: string): Promise<void>;
}

/** Measures on a world whose project is deployed, so that its host has the base image. */
export async function measureImageUpdate(world: World, project: string): Promise<ImageUpdate> {
  const { address, port } = world.host;
  const directory = await mkdtemp(join(tmpdir(), "al-update-"));
  const proxy = await startDelayProxy({ target: { address, port }, delayMs: 0 });
  const local = openLocal({ host: "builder" });
  const builder = openDocker(local, { socketPath: world.lab.engine.socketPath });
  const transport = await connect(world, proxy);
  const host = openDocker(transport);
  try {
    await host.engineInfo();
    const ways = { builder, host, proxy, cacheDir: join(directory, "cache") };
    const peer = await openPeer(world, directory);
    const base = (await builder.listImages({})).flatMap(({ references }) => references);
    const from = base.find((name) => name.startsWith(`al-${project}/base:`)) ?? world.lab.baseImage;
    // The cache knows the layers below, as a controller's does from the first deployment on.
    await exportImage(builder, from, ways);
    const rounds: ImageUpdate[] = [];
    for (let at = 0; at < ROUNDS; at++) rounds.push(await round({ ...ways, peer }, from, project));
    const median = (pick: (one: ImageUpdate) => number) =>
      rounds.map(pick).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
    const most = rounds.toSorted((a, b) => b.sentBytes - a.sentBytes)[0] as ImageUpdate;
    return {
      ...most,
      deliveryMs: median(({ deliveryMs }) => deliveryMs),
      exportMs: median(({ exportMs }) => exportMs),
      peerMs: median(({ peerMs }) => peerMs),
    };
  } finally {
    host.close();
    builder.close();
    await Promise.all([transport.close(), local.close()]);
    await proxy.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function round(ways: Ways, from: string, project: string): Promise<ImageUpdate> {
  const { builder, host, proxy } = ways;
  const reference = `al-${project}/update:${randomBytes(6).toString("hex")}`;
  const recipe = recipeOf(reference, `FROM ${from}\nCOPY layer /layer\n`, [
    file("layer", randomBytes(LAYER_BYTES)),
  ]);
  await buildImage(builder, recipe, { project });
  const { value: archive, ms: exportMs } = await timed(() => exportImage(builder, reference, ways));
  const before = proxy.bytes().up;
  const { value: delivery, ms: deliveryMs } = await timed(() => deliverImage(host, archive));
  const sentBytes = proxy.bytes().up - before;
  if (delivery.kind !== "partial") throw new Error(`not an update: ${JSON.stringify(delivery)}`);
  await host.removeImage(reference);
  const { ms: peerMs } = await timed(() => ways.peer(reference));
  await Promise.all([host.removeImage(reference), builder.removeImage(reference)]);
  return { deliveryMs, exportMs, peerMs, sentBytes, missingBytes: topLayer(archive) };
}

function topLayer({ layers }: ImageArchive): number {
  return layers.at(-1)?.size ?? 0;
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const begin = performance.now();
  const value = await work();
  return { value, ms: performance.now() - begin };
}

function connect({ host }: World, proxy: DelayProxy) {
  return connectSsh({
    host: host.name,
    address: "127.0.0.1",
    port: proxy.port,
    user: host.user,
    privateKey: new Secret(host.privateKey),
    hostKey: { kind: "pinned", fingerprints: [host.hostKeyFingerprint] },
  });
}

/** The OpenSSH client and the docker client, as anybody would use them. */
async function openPeer({ host, lab }: World, directory: string): Promise<Ways["peer"]> {
  const [key, known] = [join(directory, "key"), join(directory, "known_hosts")];
  await writeFile(key, host.privateKey);
  await chmod(key, 0o600);
  await writeFile(known, `${host.address} ${host.hostPublicKey}\n`);
  const options = `-F /dev/null -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes -o UserKnownHostsFile=${known}`;
  const script = `docker save "$1" | ssh ${options} -i ${key} ${host.user}@${host.address} docker load`;
  return async (reference) => {
    const env = { DOCKER_HOST: `unix://${lab.engine.socketPath}` };
    await mustRun(["sh", "-c", script, "peer", reference], { env });
  };
}
