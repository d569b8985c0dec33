import type { ContainerFacts } from "./container-facts.ts";
import type { Architecture } from "./desired.ts";
import type { FileHash } from "./fingerprint.ts";
import type { Stopped } from "./stopped.ts";

/** What only the host can say about itself. */
export interface HostFacts {
  /** Absolute path of the project's directory. */
  readonly projectDir: string;
  readonly uid: number;
  readonly gid: number;
  /** Path of the Docker socket on the host. */
  readonly dockerSocket: string;
  /** Group of the Docker socket. */
  readonly dockerGid: number;
  readonly architecture: Architecture;
  readonly dockerVersion: string;
  /** What the engine calls itself; machines made from one disk image may share it. */
  readonly engineId: string;
  /** How the engine stores images; each kind accepts another archive form. */
  readonly imageStore: "classic" | "containerd";
  /** Free bytes where Docker keeps its data. */
  readonly dockerFreeBytes: number;
  /** Free bytes where the project's directory lies. */
  readonly projectFreeBytes: number;
}

/** The project's network on a host. */
export interface NetworkSpec {
  readonly name: string;
  readonly bridge: string;
  /** `10.213.x.0/24`. */
  readonly subnet: string;
  /** First address of the subnet; the container API is published there. */
  readonly gateway: string;
}

/** `current.json`: what is live on a host. Replaced by rename, read by the runtime. */
export interface Current {
  readonly project: string;
  readonly host: string;
  readonly revision: string;
  /** Release hash, a directory below `releases/`. */
  readonly release: string;
  /** Credential set hash, a directory below `credentials/`. */
  readonly credentials: string;
  /** Name of the only runtime container that may serve. */
  readonly runtime: string;
  /** Name of the door's container, where there is one. */
  readonly door?: string;
  /** Name of the ingress's container, where there is one. */
  readonly ingress?: string;
  readonly network: NetworkSpec;
}

/** Kinds of things we make on a host and own, in the order they are removed: each may hold what follows. */
export const ITEM_KINDS = [
  "container",
  "network",
  "rules",
  "image",
  "release",
  "credentials",
  "certificates",
] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/** One thing we made on a host and own: a directory's hash, an image's reference, or a name; rules have their network's, certificates the public one. */
export interface InventoryItem {
  readonly kind: ItemKind;
  readonly id: string;
}

/** `applied.json`: what we put on a host, written before it is put there. */
export interface Inventory {
  /** Sorted by kind, then id. */
  readonly items: readonly InventoryItem[];
  /** The last switch that was confirmed: what is put back when a later one is not. */
  readonly confirmed?: Current | undefined;
}

/** A content-addressed directory as found: its name, and what its bytes really hash to. */
export interface ObservedTree {
  /** Directory name. */
  readonly name: string;
  readonly files: readonly FileHash[];
  /** Entries that are neither files nor directories, or have the wrong mode; any makes it drifted. */
  readonly oddities: readonly string[];
}

/** An image of this project, by reference. */
export interface ObservedImage {
  readonly reference: string;
  readonly specHash: string;
}

/** A container of this project. */
export interface ObservedContainer {
  readonly name: string;
  readonly role: string;
  readonly specHash: string;
  readonly image: string;
  /** Docker's word: created, running, paused, restarting, exited, dead. */
  readonly state: string;
  readonly agent?: string;
  readonly run?: string;
  /** What it was made as; looked at for standing containers only. */
  readonly facts?: ContainerFacts;
}

/** How a network of our name is made, beyond its addresses. */
export interface NetworkTraits {
  readonly driver: string;
  readonly betweenContainers: boolean;
  /** Without a way out. */
  readonly internal: boolean;
}

/** What the live runtime says of itself; taken beside, never instead of, what Docker says. */
export interface RuntimeReport {
  /** Release and credential set it uses for new runs. */
  readonly release: string;
  readonly credentials: string;
  readonly revision: string;
  /** True when rules are in place, the probe has passed since it started, and triggers are taken. */
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reason?: string;
  readonly activeRuns: number;
  /** False while a run that is being made still needs a release or credentials that are not live. */
  readonly settled: boolean;
  /** Whether the network rules are on the host; absent when they were not looked at just now. */
  readonly rules?: "in-place" | "missing";
  /** Its database was found damaged then (ms since the epoch), and is kept as this file. */
  readonly damaged?: { readonly since: number; readonly file: string };
}

/** Everything one observation of a host found. */
export interface ObservedHost {
  readonly host: string;
  readonly facts: HostFacts;
  /** Hex key of the credential versions; undefined before the host was prepared. */
  readonly credentialKey: string | undefined;
  readonly current: Current | undefined;
  readonly inventory: Inventory;
  /** Present when an operator stopped the project's runtime here, until `al start`. */
  readonly stopped?: Stopped | undefined;
  readonly releases: readonly ObservedTree[];
  readonly credentialSets: readonly ObservedTree[];
  /** Absolute paths of leftovers of interrupted writes. */
  readonly temporary: readonly string[];
  readonly images: readonly ObservedImage[];
  readonly containers: readonly ObservedContainer[];
  /** The project's network, when it is there. */
  readonly network: NetworkSpec | undefined;
  readonly networkTraits: NetworkTraits | undefined;
  /** Names of running containers in the project's network that are not ours. */
  readonly neighbours: readonly string[];
  /** What lies in the project's directory and in its `releases`, `credentials` and `certificates`, as relative paths. */
  readonly entries: readonly string[];
  /** Subnets of all networks on the engine, for choosing a free one. */
  readonly subnets: readonly string[];
  /** Undefined when no runtime answers. */
  readonly runtime: RuntimeReport | undefined;
}
