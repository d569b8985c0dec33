import type { DriftPolicy } from "./drift.ts";
import type { PublicSite } from "./ingress-config.ts";

/** Processor architectures in Docker's words. */
export type Architecture = "amd64" | "arm64";

/** One file of a release. */
export interface ReleaseFile {
  /** Relative, `/`-separated: `agents/dev/ACTIONS.md`. */
  readonly path: string;
  /** SHA-256 of the content, hex. */
  readonly hash: string;
  readonly content: Uint8Array;
}

/** The agent files of one desired state, named by the hash of their content. */
export interface ReleaseSpec {
  readonly hash: string;
  readonly files: readonly ReleaseFile[];
}

/** An image a host must have; how it is made is its {@link ImageRecipe}. */
export interface ImageSpec {
  /** `base`, `runtime`, `door`, `ingress`, `project` or `agent-<name>`. */
  readonly name: string;
  /** `al-<project>/<name>:<short spec hash>`. */
  readonly reference: string;
  readonly specHash: string;
}

/** A file of a build context. */
export interface ContextFile {
  readonly path: string;
  readonly executable: boolean;
  readonly content: Uint8Array;
}

/** How to build an image, deterministically: equal recipes have equal spec hashes. */
export interface ImageRecipe {
  readonly image: ImageSpec;
  readonly architecture: Architecture;
  /** Dockerfile text with `FROM` and `COPY --from` already rewritten. */
  readonly dockerfile: string;
  /** Where the Dockerfile is in the repository, for messages; absent for ours. No part of the spec hash. */
  readonly source?: string | undefined;
  /** Context files without the Dockerfile, sorted by path. */
  readonly context: readonly ContextFile[];
  readonly buildArgs: Readonly<Record<string, string>>;
  /** References of images of ours it is built from; they must exist on the builder first. */
  readonly needs: readonly string[];
  /** The host that builds it; absent for this machine. No part of the spec hash. */
  readonly builder?: HostAddress | undefined;
}

/** A credential some agents on a host need: references only, never values. */
export interface CredentialNeed {
  readonly type: string;
  readonly instance: string;
  /** Fields that must be there; empty for a type we do not know: all fields found. */
  readonly fields: readonly string[];
  /** Sorted names of the agents that declare it; `gateway` for what only the gateway gets. */
  readonly agents: readonly string[];
}

/** What the runtime container of a host is to be, without facts only the host knows. */
export interface RuntimeSpec {
  /** Reference of its image. */
  readonly image: string;
  /** Spec hash of its image. */
  readonly imageSpecHash: string;
}

/** What the door's container of a host is to be, without facts only the host knows. */
export interface DoorSpec {
  /** Reference of its image. */
  readonly image: string;
  /** Spec hash of its image. */
  readonly imageSpecHash: string;
  /** Where it is published on 127.0.0.1. */
  readonly outsidePort: number;
}

/** What the ingress's container of a host is to be, without facts only the host knows. */
export interface IngressSpec {
  /** Reference of its image. */
  readonly image: string;
  /** Spec hash of its image. */
  readonly imageSpecHash: string;
  readonly site: PublicSite;
}

/** Everything one revision asks of one host. */
export interface HostSpec {
  readonly project: string;
  readonly host: string;
  /** Commit id. */
  readonly revision: string;
  readonly architecture: Architecture;
  readonly images: readonly ImageSpec[];
  readonly release: ReleaseSpec;
  readonly credentials: readonly CredentialNeed[];
  readonly runtime: RuntimeSpec;
  /** Absent where nobody is to reach the outside listener. */
  readonly door?: DoorSpec;
  /** Absent where nothing is public. */
  readonly ingress?: IngressSpec;
}

/** Where and as whom a host is reached. */
export interface HostAddress {
  readonly host: string;
  readonly provider: "ssh" | "vultr" | "local";
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** How a revision reaches the fleet. */
export interface Rollout {
  /** Hosts changed at the same time. */
  readonly parallelHosts: number;
  /** How long a host may take from its switch to its confirmation. */
  readonly confirmTimeoutMs: number;
}

/** Where one agent is, and why; for people, no part of any host's spec. */
export interface Placement {
  readonly agent: string;
  /** Sorted names; empty when no host fits. */
  readonly hosts: readonly string[];
  /** One sentence. */
  readonly reason: string;
  /** What an operator should know of it. */
  readonly note?: string;
}

/** What one revision asks of the fleet. */
export interface FleetSpec {
  readonly project: string;
  readonly revision: string;
  /** Sorted by host name. */
  readonly hosts: readonly {
    readonly address: HostAddress;
    readonly spec: HostSpec;
    /** What is done about changes on the host itself; heal when absent. */
    readonly drift?: DriftPolicy;
  }[];
  /** Sorted by agent; one for every agent. */
  readonly placements: readonly Placement[];
  readonly rollout: Rollout;
  /** Sorted so that every recipe follows those it needs. */
  readonly recipes: readonly ImageRecipe[];
}
