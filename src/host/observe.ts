import { AlError } from "../base/errors.ts";
import { bridgeName, LABELS, networkName } from "../core/names.ts";
import type { NetworkSpec, ObservedContainer, ObservedHost } from "../core/observed.ts";
import type { ContainerSummary } from "../docker/container-calls.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import type { ImageSummary } from "../docker/image-calls.ts";
import type { DockerNetwork } from "../docker/network-calls.ts";
import type { Transport } from "../transport/transport.ts";
import type { RuntimeControl } from "./control.ts";
import { OBSERVE_SCRIPT } from "./observe-script.ts";
import { type FileObservation, parseObservation } from "./parse-observation.ts";

/** What a host is looked at through. */
export interface Instruments {
  readonly transport: Transport;
  readonly docker: DockerClient;
  readonly control: RuntimeControl;
}

/**
 * Looks at everything of one project on a host, side by side: one exec that hashes the bytes, and
 * Docker's API; then the live runtime is asked what it says of itself.
 */
export async function observeHost(
  { transport, docker, control }: Instruments,
  project: string,
  signal?: AbortSignal,
): Promise<ObservedHost> {
  const options = { signal };
  const listed = docker.listContainers({ [LABELS.project]: project }, options);
  const [files, engine, containers, images, networks, early] = await Promise.all([
    readFiles(transport, { project, dockerSocket: docker.socketPath }, signal),
    docker.engineInfo(options),
    listed,
    docker.listImages({ [LABELS.specHash]: true }, options),
    docker.listNetworks({}, options),
    listed.then((found) => reportOfOnly(control, found, signal)),
  ]);
  if (Number.isNaN(files.dockerGid)) throw noSocketGroup(transport.host, docker.socketPath);
  const { projectDir, uid, gid, dockerGid, architecture, dockerFreeBytes, projectFreeBytes } =
    files;
  const { serverVersion: dockerVersion, imageStore } = engine;
  const live = containers.find(({ name }) => name === files.current?.runtime);
  const isLive = live?.state === "running";
  const report =
    isLive && early?.runtime !== live.name
      ? await control.report(live.name, signal)
      : early?.report;
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
      imageStore,
      dockerFreeBytes,
      projectFreeBytes,
    },
    ...recorded(files),
    images: images.flatMap((image) => ownImages(project, image)),
    containers: containers.map(observedContainer),
    network: ownNetwork(project, networks),
    subnets: networks.flatMap(({ subnets }) => subnets.map(({ subnet }) => subnet)),
    runtime: isLive ? report : undefined,
  };
}

/**
 * What the project's one running runtime says, asked before `current.json` was read, which saves
 * two round trips; where several run, which of them is live must be known first.
 */
async function reportOfOnly(
  control: RuntimeControl,
  containers: readonly ContainerSummary[],
  signal: AbortSignal | undefined,
) {
  const running = containers.filter(
    ({ state, labels }) => state === "running" && labels[LABELS.role] === "runtime",
  );
  const [only] = running;
  if (!only || running.length > 1) return undefined;
  return { runtime: only.name, report: await control.report(only.name, signal) };
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
  const { credentialKey, current, inventory, releases, credentialSets, temporary } = files;
  return { credentialKey, current, inventory, releases, credentialSets, temporary };
}

function ownImages(project: string, image: ImageSummary) {
  const specHash = image.labels[LABELS.specHash] ?? "";
  return image.references
    .filter((reference) => reference.startsWith(`al-${project}/`))
    .map((reference) => ({ reference, specHash }));
}

function observedContainer({ name, image, state, labels }: ContainerSummary): ObservedContainer {
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
  };
}

function ownNetwork(project: string, networks: readonly DockerNetwork[]): NetworkSpec | undefined {
  const network = networks.find(
    ({ name, labels }) => name === networkName(project) && labels[LABELS.project] === project,
  );
  const [range] = network?.subnets ?? [];
  if (!network || range?.gateway === undefined) return undefined;
  const { subnet, gateway } = range;
  return { name: network.name, bridge: network.bridge ?? bridgeName(project), subnet, gateway };
}

function noSocketGroup(host: string, path: string): AlError {
  return new AlError(`host ${host} has no Docker socket at ${path}`, {
    code: "docker-missing",
    blame: "user",
    hint: `Install Docker on the host (Debian, Ubuntu: apt-get install docker.io) and start it.`,
  });
}
