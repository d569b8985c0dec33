import type { Json } from "../base/canonical-json.ts";
import type { Architecture, ContextFile, HostAddress, Rollout } from "./desired.ts";
import type { DriftPolicy } from "./drift.ts";
import type { PublicSite } from "./ingress-config.ts";
import type { PreflightStep } from "./preflight-step.ts";
import type { RunRetention } from "./retention.ts";
import type { RunLimits } from "./run-limits.ts";
import type { CatchUp, OnInterrupted } from "./schedule-policy.ts";
import type { WebhookFilter } from "./webhook-filter.ts";
import type { WebhookType } from "./webhook-types.ts";

/** The model of one agent, inheritance done. */
export interface ModelInput {
  readonly provider: string;
  readonly model: string;
  readonly authType: string;
  readonly thinkingLevel?: string | undefined;
  readonly baseUrl?: string | undefined;
}

/** A Dockerfile of the repository, with the files its build may read. */
export interface DockerfileInput {
  /** Path in the repository, for messages. */
  readonly path: string;
  readonly text: string;
  /** Relative to the Dockerfile's directory; only what its instructions name. */
  readonly context: readonly ContextFile[];
}

/** On which hosts an agent may be, and on how many of them it is. */
export interface PlacementInput {
  /** Names of the only hosts it may be on; any host when absent. */
  readonly hosts?: readonly string[] | undefined;
  /** Labels that a host must have, all of them. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Hosts it is on at the same time; 1 for an agent with a schedule. */
  readonly replicas: number | "all";
}

/** One `[webhooks.<name>]`: where deliveries come from and how they are checked. */
export interface SourceInput {
  readonly type: WebhookType;
  /** Instances of the type's secret; any of them fits. */
  readonly credential?: readonly string[] | undefined;
  /** Takes unsigned deliveries where there is no `credential`. */
  readonly allowUnsigned: boolean;
  /** Deliveries a minute. */
  readonly rateLimit: number;
  /** Names of headers; of type `generic` only. */
  readonly signatureHeader?: string | undefined;
  readonly deliveryHeader?: string | undefined;
  readonly eventHeader?: string | undefined;
}

/** One agent of a revision, with every default filled in. */
export interface AgentInput {
  readonly name: string;
  readonly model: ModelInput;
  /** References as declared, in their order; the model's key need not be among them. */
  readonly credentials: readonly string[];
  readonly schedule?: string | undefined;
  /** IANA name; UTC when absent. */
  readonly timezone?: string | undefined;
  /** None when absent. */
  readonly catchUp?: CatchUp | undefined;
  /** How much each tick of the schedule may be delayed; 0 when absent. */
  readonly jitterSeconds?: number | undefined;
  /** None when absent. */
  readonly onInterrupted?: OnInterrupted | undefined;
  /** Concurrent runs; 0 disables the agent. */
  readonly scale: number;
  /** One host of all when absent. */
  readonly placement?: PlacementInput | undefined;
  readonly timeoutSeconds: number;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly params: Readonly<Record<string, Json>>;
  /** Steps in a run's container before its session, in order; none when absent. */
  readonly preflight?: readonly PreflightStep[] | undefined;
  /** None when absent. */
  readonly limits?: RunLimits | undefined;
  /** The sources it listens to, by name, and what for; none when absent. */
  readonly webhooks?: readonly ({ readonly source: string } & WebhookFilter)[] | undefined;
  /** ACTIONS.md as UTF-8 without a byte order mark, lines ended by LF. */
  readonly instructions: Uint8Array;
  readonly dockerfile?: DockerfileInput | undefined;
}

/** A host of fleet.toml, with every default filled in. */
export interface HostInput extends HostAddress {
  readonly architecture: Architecture;
  /** Heal when absent. */
  readonly drift?: DriftPolicy;
}

/** A project's public name, and the host whose address it has. */
export interface IngressInput {
  /** Its name. */
  readonly host: string;
  readonly site: PublicSite;
}

/** One revision of a project, valid and complete: what desired state is computed from. */
export interface ProjectInput {
  readonly name: string;
  /** Cap on concurrent runs of the whole project on one host. */
  readonly scale?: number | undefined;
  readonly maxReruns: number;
  readonly workQueueSize: number;
  /** How deep agents may call each other; 0 for not at all. */
  readonly maxCallDepth: number;
  readonly gateway: {
    /** Of the outside listener, on 127.0.0.1 of each host with an agent that listens to a source, or with `control`. */
    readonly port: number;
    /** The control API is there too, for who has the gateway's key; not when absent. */
    readonly control?: boolean | undefined;
    /** When a lock without a heartbeat is released. */
    readonly lockTimeoutSeconds: number;
    /** What is public, and on which host; nothing when absent. */
    readonly ingress?: IngressInput | undefined;
  };
  /** Absent where it does not say. */
  readonly retention?: RunRetention | undefined;
  /** Sources by name; none when absent. */
  readonly webhooks?: Readonly<Record<string, SourceInput>> | undefined;
  /** `[images] base`: what our own Dockerfiles start from. */
  readonly baseImage: string;
  /** `[images] builder`: a host's name; absent for this machine. */
  readonly builder?: string | undefined;
  /** Names by which the repository's Dockerfiles refer to our base image. */
  readonly baseAliases: readonly string[];
  /** The project's Dockerfile; absent when there is none or it is a bare FROM. */
  readonly dockerfile?: DockerfileInput | undefined;
  /** Empty without a fleet.toml. */
  readonly hosts: readonly HostInput[];
  readonly agents: readonly AgentInput[];
  readonly rollout: Rollout;
}

/** Our own Dockerfiles with their contexts, read from the package by the caller. */
export interface ImageAssets {
  readonly agentDockerfile: string;
  readonly agentContext: readonly ContextFile[];
  readonly runtimeDockerfile: string;
  readonly runtimeContext: readonly ContextFile[];
  readonly doorDockerfile: string;
  readonly doorContext: readonly ContextFile[];
  readonly ingressDockerfile: string;
  readonly ingressContext: readonly ContextFile[];
}
