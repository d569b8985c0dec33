import type { MachineSpec } from "../core/machine.ts";
import type { AgentInput, IngressInput, ProjectInput } from "../core/project-input.ts";
import type { FleetLockFile } from "./fleet-file.ts";
import type { WebhookTrigger } from "./webhook-filters.ts";
import type { WebhookSource } from "./webhook-source.ts";

/** One agent as its files say, with every default filled in. */
export interface AgentConfig extends AgentInput {
  /** `dev` or `agents/dev`. */
  readonly directory: string;
  readonly webhooks: readonly WebhookTrigger[];
}

/** A whole project at one revision: valid, and complete but for what only its hosts know. */
export interface ProjectConfig extends ProjectInput {
  /** Sorted by name. */
  readonly agents: readonly AgentConfig[];
  readonly timezone: string | undefined;
  readonly gateway: {
    readonly port: number;
    readonly lockTimeoutSeconds: number;
    readonly url: string | undefined;
    readonly control: boolean;
    readonly ingress: IngressInput | undefined;
  };
  readonly webhooks: Readonly<Record<string, WebhookSource>>;
  readonly source: {
    readonly url: string | undefined;
    readonly branch: string;
    readonly intervalSeconds: number;
  };
  /** What hosts of fleet.toml ask of their providers, by name. */
  readonly machines: ReadonlyMap<string, MachineSpec>;
  /** What fleet.lock.toml says of hosts, by name. */
  readonly lockedHosts: FleetLockFile["hosts"];
}
