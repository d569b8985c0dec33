import { doorContainerSpec } from "./door-container.ts";
import { ingressContainerSpec } from "./ingress-container.ts";
import type { DoorContainer, IngressContainer, RuntimeContainer } from "./plan.ts";
import { runtimeContainerSpec } from "./runtime-container.ts";

/** What Docker says a container is, as far as we ask for it: each fact as one sorted text. */
export interface ContainerFacts {
  /** Reference it was created from. */
  readonly image: string;
  /** Spec hash on the image it really runs; empty when that is none of ours. */
  readonly imageSpecHash: string;
  /** Our label. */
  readonly specHash: string;
  readonly user: string;
  readonly groups: string;
  /** Names of the networks it is in. */
  readonly networks: string;
  /** `10.213.1.1:7070->7070`, comma-separated. */
  readonly ports: string;
  /** `bind /a:/b`, `tmpfs /tmp`, comma-separated. */
  readonly mounts: string;
  readonly restart: string;
  readonly readOnlyRoot: string;
  readonly capabilities: string;
  readonly security: string;
  readonly pidsLimit: string;
  /** What its program is started with. */
  readonly command: string;
  /** Variables that its image does not set. */
  readonly environment: string;
}

/** How people call the facts; the order in which they are looked at. */
const NAMES: Readonly<Record<keyof ContainerFacts, string>> = {
  image: "image",
  imageSpecHash: "image's content",
  specHash: "spec hash",
  user: "user",
  groups: "groups",
  networks: "networks",
  ports: "ports",
  mounts: "mounts",
  restart: "restart policy",
  readOnlyRoot: "read-only root",
  capabilities: "capabilities",
  security: "security options",
  pidsLimit: "limit of processes",
  command: "arguments",
  environment: "variables",
};

/** The facts of a runtime container that is as it was created. */
export function runtimeFacts(container: RuntimeContainer, imageSpecHash: string): ContainerFacts {
  return factsOf(runtimeContainerSpec(container, {}), container.specHash, imageSpecHash);
}

/** The facts of a door's container that is as it was created. */
export function doorFacts(container: DoorContainer, imageSpecHash: string): ContainerFacts {
  return factsOf(doorContainerSpec(container, {}), container.specHash, imageSpecHash);
}

/** The facts of an ingress's container that is as it was created. */
export function ingressFacts(container: IngressContainer, imageSpecHash: string): ContainerFacts {
  return factsOf(ingressContainerSpec(container, {}), container.specHash, imageSpecHash);
}

/** How a container that stands is created. */
export type StandingSpec = ReturnType<
  typeof runtimeContainerSpec | typeof doorContainerSpec | typeof ingressContainerSpec
>;

function factsOf(spec: StandingSpec, specHash: string, imageSpecHash: string): ContainerFacts {
  return {
    image: spec.image,
    imageSpecHash,
    specHash,
    user: spec.user,
    groups: listText(spec.groupAdd),
    networks: spec.network,
    ports: listText(spec.ports.map(portText)),
    mounts: listText(spec.mounts.map(mountText)),
    restart: spec.restart,
    readOnlyRoot: String(spec.readOnlyRoot),
    capabilities: capabilityText({ add: [], drop: spec.capDrop, privileged: false }),
    security: "no-new-privileges",
    pidsLimit: String(spec.pidsLimit),
    command: commandText({ argv: "argv" in spec ? spec.argv : [] }),
    environment: listText("env" in spec ? Object.entries(spec.env).map(variableText) : []),
  };
}

function variableText([name, value]: readonly [string, string]): string {
  return `${name}=${value}`;
}

/** Why a container is not what it was created as, in words, or undefined when it is. */
export function explainAltered(wanted: ContainerFacts, found: ContainerFacts): string | undefined {
  for (const [fact, name] of Object.entries(NAMES) as [keyof ContainerFacts, string][]) {
    if (wanted[fact] === found[fact]) continue;
    if (fact === "networks" && found[fact] === removedNetwork(wanted[fact])) {
      return `its network ${wanted[fact]} was removed since`;
    }
    if (fact === "command" || fact === "environment") return `it was given other ${name}`;
    if (fact === "imageSpecHash") return "it runs another image under our image's name";
    return `its ${name}: ${found[fact] || "none"} instead of ${wanted[fact] || "none"}`;
  }
  return undefined;
}

/** How a network is listed that a container was in and that is no more, though its name may be taken again. */
export function removedNetwork(name: string): string {
  return `${name} (removed since)`;
}

/** A list as one text, whatever order it came in. */
export function listText(items: readonly string[]): string {
  return [...items].sort().join(", ");
}

/** One published port. */
export function portText(port: {
  readonly hostIp: string;
  readonly hostPort: number | string;
  readonly containerPort: number | string;
}): string {
  return `${port.hostIp}:${port.hostPort}->${port.containerPort}`;
}

/** One mount; what is in a tmpfs is no part of it. */
export function mountText(mount: {
  readonly kind: string;
  readonly source?: string;
  readonly target: string;
  readonly readOnly?: boolean;
}): string {
  if (mount.kind === "tmpfs") return `tmpfs ${mount.target}`;
  const readOnly = mount.readOnly ? " read-only" : "";
  return `${mount.kind} ${mount.source}:${mount.target}${readOnly}`;
}

/** What a container's program is started with; `entrypoint` only where it is not its image's. */
export function commandText(of: {
  readonly entrypoint?: readonly string[] | undefined;
  readonly argv: readonly string[];
}): string {
  return JSON.stringify([...(of.entrypoint ? [of.entrypoint] : []), of.argv]);
}

/** Capabilities beside Docker's own. */
export function capabilityText(of: {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
}): string {
  const bare = (name: string) => name.replace(/^CAP_/, "");
  const changes = [
    ...of.add.map((name) => `+${bare(name)}`),
    ...of.drop.map((name) => `-${bare(name)}`),
  ];
  return of.privileged ? "privileged" : listText(changes);
}
