import { createHash } from "node:crypto";

/** Docker label keys; nothing without {@link LABELS.project} is ever touched. */
export const LABELS = {
  project: "action-llama.project",
  host: "action-llama.host",
  role: "action-llama.role",
  agent: "action-llama.agent",
  run: "action-llama.run",
  revision: "action-llama.revision",
  specHash: "action-llama.spec-hash",
} as const;

/** The longest name of a project, host, agent or webhook source. */
export const NAME_LENGTH = 63;
/** What such a name looks like. */
export const NAME_PATTERN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Whether a text from outside can be such a name. */
export function isName(text: string): boolean {
  return text.length <= NAME_LENGTH && NAME_PATTERN.test(text);
}

/** What a labelled container is for. */
export type ContainerRole = "runtime" | "door" | "ingress" | "run" | "carrier" | "rules" | "probe";

/** Roles of the containers that stand on a host for as long as it is as asked; the others come and go with runs. */
export const STANDING_ROLES = [
  "runtime",
  "door",
  "ingress",
] as const satisfies readonly ContainerRole[];

/** Whether a container of this role stands; the role is what its label says. */
export function isStanding(role: string | undefined): boolean {
  return STANDING_ROLES.some((standing) => standing === role);
}

/** The port of the container API on the bridge's gateway address, the same in every project. */
export const CONTAINER_API_PORT = 7070;

/** The port in the door's container; on the host it is `[gateway] port`. */
export const OUTSIDE_PORT = 7080;

/** The directory of the project's that the door sees, and nothing else. */
export const DOOR_DIRECTORY = "door";

/** Where the door's container has that directory. */
export const DOOR_MOUNT = "/door";

/** The directory of the project's where the runtime meets the ingress, and nobody else. */
export const INGRESS_DIRECTORY = "ingress";

/** Where the ingress's container has that directory. */
export const INGRESS_MOUNT = "/ingress";

/** Ports in the ingress's container, which no process without rights is kept from; on the host 80 and 443. */
export const INGRESS_PORTS = { http: 8080, https: 8443 } as const;

/** A given certificate with its key, in that directory. */
export const GIVEN_CERTIFICATE = "certificate.pem";

/** The socket of the door in the ingress's container, which holds senders while runtimes come and go. */
export const INGRESS_DOOR = "/tmp/door.sock";

/** The directory of the project's that has one for the certificates of each public name. */
export const CERTIFICATES_DIRECTORY = "certificates";

/** Where the ingress's container has those of its name. */
export const CERTIFICATES_MOUNT = "/certificates";

/** The unix socket of the outside listener, in the directory of the door, and in that of the ingress. */
export const OUTSIDE_SOCKET = "outside.sock";

/** The unix socket of the control API, inside the runtime container. */
export const CONTROL_SOCKET = "/tmp/control.sock";

/** First 12 hex digits of a spec hash: enough for a name, never for a comparison. */
export function shortHash(hash: string): string {
  return hash.slice(0, 12);
}

/** The project's directory, relative to the SSH user's home. */
export function projectDirectory(project: string): string {
  return `.action-llama/projects/${project}`;
}

/** A local image reference: `al-<project>/<name>:<short spec hash>`. */
export function imageReference(project: string, name: string, specHash: string): string {
  return `al-${project}/${name}:${shortHash(specHash)}`;
}

/** The name of a runtime container; a new spec is a new name, so both can exist during a switch. */
export function runtimeName(project: string, specHash: string): string {
  return `al-${project}-runtime-${shortHash(specHash)}`;
}

/** The name of a door's container. */
export function doorName(project: string, specHash: string): string {
  return `al-${project}-door-${shortHash(specHash)}`;
}

/** The name of an ingress's container. */
export function ingressName(project: string, specHash: string): string {
  return `al-${project}-ingress-${shortHash(specHash)}`;
}

/** The project's network. */
export function networkName(project: string): string {
  return `al-${project}`;
}

/** The bridge's interface name, at most 15 bytes (IFNAMSIZ - 1). */
export function bridgeName(project: string): string {
  return `al-${createHash("sha256").update(project).digest("hex").slice(0, 10)}`;
}

/** Chains of a project's network rules: what is forwarded, what comes in, and both for IPv6. */
export type ChainKind = "FWD" | "IN" | "FWD6" | "IN6";

/** The name of a chain of the project's network rules; iptables allows 28 bytes. */
export function chainName(project: string, kind: ChainKind): string {
  return `AL-${kind}-${createHash("sha256").update(project).digest("hex").slice(0, 10)}`;
}
