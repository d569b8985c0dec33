import { AlError } from "../base/errors.ts";
import type { ContainerFacts } from "../core/container-facts.ts";
import { bridgeName, LABELS, networkName } from "../core/names.ts";
import type {
  NetworkSpec,
  NetworkTraits,
  ObservedContainer,
  ObservedHost,
} from "../core/observed.ts";
import type { ContainerSummary } from "../docker/container-calls.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import type { ImageSummary } from "../docker/image-calls.ts";
import type { DockerNetwork } from "../docker/network-calls.ts";
import type { Transport } from "../transport/transport.ts";
import type { RuntimeControl } from "./control.ts";
import { OBSERVE_SCRIPT } from "./observe-script.ts";
import { inspectStanding, standingFactsOf } from "./observe-standing.ts";
import { type FileObservation, parseObservation } from "./parse-observation.ts";

/** What a host is looked at through. */
export interface Instruments {
  readonly transport: Transport;
  readonly docker: DockerClient;
  readonly control: RuntimeControl;
}

/** How a host is looked at. */
export interface ObserveOptions {
  readonly signal?: AbortSignal | undefined;
  /** Has the runtime look at the network's rules now, which starts a container and takes its time. */
  readonly certain?: boolean | undefined;
}

/**
 * Looks at everything of one project on a host, side by side: one exec that hashes the bytes, and
 * Docker's API; then the live runtime is asked what it says of itself.
 */
export async function observeHost(
  { transport, docker, control }: Instruments,
  project: string,
  { signal, certain = false }: ObserveOptions = {},
): Promise<ObservedHost> {
  const options = { signal };
  const owned = { [LABELS.project]: project, [LABELS.role]: true } as const;
  const listed = docker.listContainers(owned, options);
  const [files, engine, containers, images, networks, inNetwork, made, early] = await Promise.all([
    readFiles(transport, { project, dockerSocket: docker.socketPath }, signal),
    docker.engineInfo(options),
    listed,
    docker.listImages({ [LABELS.specHash]: true }, options),
    docker.listNetworks({}, options),
    docker.listNeighbours(networkName(project), options),
    listed.then((found) => inspectStanding(docker, found, signal)),
    listed.then((found) => reportOfOnly(control, found, { signal, certain })),
  ]);
  if (Number.isNaN(files.dockerGid)) throw noSocketGroup(transport.host, docker.socketPath);
  const { projectDir, uid, gid, dockerGid, architecture, dockerFreeBytes, projectFreeBytes } =
    files;
  const { id: engineId, serverVersion: dockerVersion, imageStore } = engine;
  const live = containers.find(({ name }) => name === files.current?.runtime);
  const isLive = live?.state === "running";
  const runtime =
    isLive && early?.runtime !== live.name
      ? await control.report(live.name, { signal, certain })
      : early?.report;
  const facts = standingFactsOf(made, { images, networks });
  const network = ownNetwork(project, networks);
  return {
    host: transport.host,
    facts: {
      projectDir,
      uid,
      gid,
      dockerSocket: docker.socketPath,
      dockerGid,
      architecture,
      dockerVersion,
      engineId,
      imageStore,
      dockerFreeBytes,
      projectFreeBytes,
    },
    ...recorded(files),
    images: images.flatMap((image) => ownImages(project, image)),
    containers: containers.map((container) => observedContainer(container, facts)),
    network: network && networkSpec(project, network),
    networkTraits: network && networkTraits(network),
    neighbours: inNetwork
      .filter((container) => network && !isOwnContainer(project, container))
      .map(({ name }) => name),
    subnets: networks.flatMap(({ subnets }) => subnets.map(({ subnet }) => subnet)),
    runtime: isLive ? runtime : undefined,
  };
}

/**
 * What the project's one running runtime says, asked before `current.json` was read, which saves
 * two round trips; where several run, which of them is live must be known first.
 */
async function reportOfOnly(
  control: RuntimeControl,
  containers: readonly ContainerSummary[],
  options: { readonly signal: AbortSignal | undefined; readonly certain: boolean },
) {
  const running = containers.filter(
    ({ state, labels }) => state === "running" && labels[LABELS.role] === "runtime",
  );
  const [only] = running;
  if (!only || running.length > 1) return undefined;
  return { runtime: only.name, report: await control.report(only.name, options) };
}

async function readFiles(
  transport: Transport,
  { project, dockerSocket }: { readonly project: string; readonly dockerSocket: string },
  signal: AbortSignal | undefined,
): Promise<FileObservation> {
  const argv = ["sh", "-c", OBSERVE_SCRIPT, "observe", project, dockerSocket];
  const { stdout, stderr, code } = await transport.exec(argv, { signal, timeoutMs: 60_000 });
  if (code === 0) return parseObservation(transport.host, stdout.toString("utf8"));
  const detail = stderr.toString("utf8").trim().slice(0, 500);
  throw new AlError(`host ${transport.host}: looking at its files failed: ${detail}`, {
    code: "observation-failed",
    blame: "transient",
  });
}

function recorded(files: FileObservation) {
  const { credentialKey, current, inventory, stopped, releases, credentialSets } = files;
  const { temporary, entries } = files;
  const trees = { releases, credentialSets, temporary, entries };
  return { credentialKey, current, inventory, ...(stopped && { stopped }), ...trees };
}

function ownImages(project: string, image: ImageSummary) {
  const specHash = image.labels[LABELS.specHash] ?? "";
  return image.references
    .filter((reference) => reference.startsWith(`al-${project}/`))
    .map((reference) => ({ reference, specHash }));
}

function observedContainer(
  { name, image, state, labels }: ContainerSummary,
  facts: ReadonlyMap<string, ContainerFacts>,
): ObservedContainer {
  const made = facts.get(name);
  const agent = labels[LABELS.agent];
  const run = labels[LABELS.run];
  return {
    name,
    image,
    state,
    role: labels[LABELS.role] ?? "",
    specHash: labels[LABELS.specHash] ?? "",
    ...(agent === undefined ? {} : { agent }),
    ...(run === undefined ? {} : { run }),
    ...(made === undefined ? {} : { facts: made }),
  };
}

/** A stranger's container made from an image of ours has the image's labels, but plays no role. */
function isOwnContainer(project: string, { labels }: ContainerSummary): boolean {
  return labels[LABELS.project] === project && labels[LABELS.role] !== undefined;
}

function ownNetwork(
  project: string,
  networks: readonly DockerNetwork[],
): DockerNetwork | undefined {
  return networks.find(
    ({ name, labels }) => name === networkName(project) && labels[LABELS.project] === project,
  );
}

function networkSpec(project: string, { name, bridge, subnets }: DockerNetwork): NetworkSpec {
  const { subnet = "", gateway = "" } = subnets[0] ?? {};
  return { name, bridge: bridge ?? bridgeName(project), subnet, gateway };
}

function networkTraits({ driver, betweenContainers, internal }: DockerNetwork): NetworkTraits {
  return { driver, betweenContainers, internal };
}

function noSocketGroup(host: string, path: string): AlError {
  return new AlError(`host ${host} has no Docker socket at ${path}`, {
    code: "docker-missing",
    blame: "user",
    hint: `Install Docker on the host (Debian, Ubuntu: apt-get install docker.io) and start it.`,
  });
}
