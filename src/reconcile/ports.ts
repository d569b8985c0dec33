import type { Secret } from "../base/secret.ts";
import type { Approval } from "../core/approval.ts";
import type { CredentialNeed, HostAddress, HostSpec, ImageRecipe } from "../core/desired.ts";
import type { KnownHost } from "../core/known-host.ts";
import type { ObservedHost } from "../core/observed.ts";
import type { Step, StepResult } from "../core/plan.ts";
import type { HeldCredentials } from "../core/resolve-credentials.ts";

/** What a step needs beyond itself. */
export interface StepContext {
  readonly spec: HostSpec;
  readonly recipes: readonly ImageRecipe[];
  /** The observation the plan was made from. */
  readonly observed: ObservedHost;
  /** Key for the host's credential versions, used only when it has none yet. */
  readonly proposedKey: Secret;
  readonly signal?: AbortSignal | undefined;
  /** A few words on what is going on now: `layer 2 of 3, 14 MB`. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** The right to change a host now; ends with the connection it was taken on. */
export interface HostLock {
  /** Aborted, with the reason, when the lock is lost. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

/** One connected host: one side of a pass. */
export interface HostSession {
  observe(
    project: string,
    options?: {
      signal?: AbortSignal | undefined;
      /** Has the runtime look at the network's rules now, which takes its time. */
      certain?: boolean | undefined;
    },
  ): Promise<ObservedHost>;
  /** Waits while another holder has it. @throws AlError `host-locked` naming the holder. */
  lock(
    project: string,
    options: { holder: string; signal?: AbortSignal | undefined },
  ): Promise<HostLock>;
  /** The files of a directory on the host, by relative path; empty when there is none. */
  readTree(
    directory: string,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Idempotent; throws AlError on failure. */
  carryOut(step: Step, context: StepContext): Promise<StepResult>;
  /** False once the connection is known to have ended. */
  isAlive(): boolean;
  close(): Promise<void>;
}

/** Ways to hosts. */
export interface HostsPort {
  /** The key a host offers, without authenticating; undefined where there is none (local). */
  readHostKey(
    address: HostAddress,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<{ readonly fingerprint: string } | undefined>;
  /** Connects only to a host that proves the approved key, or the next one while it is replaced. */
  connect(
    address: HostAddress,
    options: { fingerprint: string | undefined; signal?: AbortSignal | undefined },
  ): Promise<HostSession>;
}

/** The operator's word, from the controller's own store. */
export interface ApprovalsPort {
  /** Approved fingerprint of a host. */
  hostKey(host: string): string | undefined;
  isGranted(grant: Extract<Approval, { kind: "grant" }>): boolean;
  /** Random per controller and project; the same for a host every time. */
  proposedKey(host: string): Secret;
}

/** Credential values the controller holds. */
export interface CredentialsPort {
  /** What of this it holds, with versions under a host's key, and what it does not. */
  holdings(needs: readonly CredentialNeed[], keyHex: string): Promise<HeldCredentials>;
}

/** What the controller remembers of hosts, so that one that leaves the fleet is not forgotten. */
export interface FleetMemoryPort {
  /** Hosts that hold something of ours, sorted by name. */
  knownHosts(): readonly KnownHost[];
  /** Replaces what is known of a host; writes only what changed. */
  remember(host: KnownHost): void;
  forget(host: string): void;
  /** The operator's word that this revision may remove as much as it does. */
  hasPruneConsent(revision: string): boolean;
}
