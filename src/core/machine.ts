import type { Secret } from "../base/secret.ts";

/** Distributions that a machine can be made with; the first is the default. */
export const MACHINE_OSES = ["debian-13", "debian-12", "ubuntu-24.04"] as const;
export type MachineOs = (typeof MACHINE_OSES)[number];

/** A size that a provider sells. */
export interface MachinePlan {
  /** The provider's own name: `vc2-1c-1gb`. */
  readonly id: string;
  readonly cpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
  readonly monthlyUsd: number;
  /** Where it is sold, in stock or not; sorted. */
  readonly regions: readonly string[];
}

/** A place where a provider has machines. */
export interface MachineRegion {
  readonly id: string;
  readonly city: string;
  /** ISO 3166, two letters. */
  readonly country: string;
}

/** What a provider sells, sorted by id; plans by price. */
export interface MachineCatalogue {
  readonly plans: readonly MachinePlan[];
  readonly regions: readonly MachineRegion[];
  readonly oses: readonly MachineOs[];
}

/** What a machine is chosen by. */
export interface MachineChoice {
  readonly region: string;
  readonly plan: string;
  readonly os: MachineOs;
}

/** What `[hosts.<name>]` of fleet.toml asks of a provider. */
export interface MachineSpec extends MachineChoice {
  /** Whom a machine made now would have; as it was made when absent. */
  readonly user?: string | undefined;
  /** The operator's own. */
  readonly tags: readonly string[];
  readonly ipv6: boolean;
  /** Addresses and ranges that may use SSH; everybody when absent. */
  readonly sshFrom?: readonly string[] | undefined;
}

/** The user of a new machine where fleet.toml names none. */
export const MACHINE_USER = "deploy";
/** Where sshd of a new machine listens. */
export const MACHINE_SSH_PORT = 22;

/** What a provider is asked to make. */
export interface MachineRequest extends MachineChoice {
  /** Host name and label. */
  readonly name: string;
  readonly tags: readonly string[];
  /** What cloud-init is given. Holds the host's first private key. */
  readonly userData: Secret;
  readonly ipv6: boolean;
  /** Id of a firewall at the provider. */
  readonly firewallId?: string | undefined;
}

/**
 * How far a machine is.
 * - `starting`: being made or booting.
 * - `ready`: booted, with an address. sshd and cloud-init may still need a minute.
 */
export type MachineState = "starting" | "ready" | "stopped" | "suspended";

/** A machine as its provider describes it. */
export interface Machine {
  readonly id: string;
  readonly state: MachineState;
  /** IPv4; undefined until it has one. */
  readonly address: string | undefined;
  readonly ipv6: string | undefined;
  readonly region: string;
  readonly plan: string;
  /** Undefined for one that no host is made with. */
  readonly os: MachineOs | undefined;
  readonly tags: readonly string[];
  readonly firewallId: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly createdAtMs: number;
}

/** One kind of connection that a firewall lets in; everything else is dropped. */
export interface FirewallRule {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** The senders, as {@link ipRange} writes them: `203.0.113.0/24`, `::/0`. */
  readonly from: string;
}

/** How a firewall differs from what it should be. */
export interface FirewallDifference {
  /** Of the firewalls with its name; none where it is missing. */
  readonly ids: readonly string[];
  readonly missing: readonly FirewallRule[];
  /** What it lets in besides, in the provider's words. */
  readonly extra: readonly string[];
}

/** Something at a provider that is found by its name: a firewall, a public key. */
export interface NamedItem {
  readonly id: string;
  readonly name: string;
}

/** One request to make a machine, written down before it was sent. */
export interface MachineAttempt {
  /** In the tags of the machine that came of it. */
  readonly nonce: string;
  /** The public host key that was sent along: `ssh-ed25519 AAAA...`. */
  readonly hostKey: string;
  /** Whom the machine was to be made with; absent in old records. */
  readonly user?: string | undefined;
}

/** What we know of a host's machine, whatever becomes of this process. */
export interface MachineRecord {
  readonly host: string;
  /** Every attempt that may have made a machine, oldest first. */
  readonly attempts: readonly MachineAttempt[];
  /** The machine that was settled on, and the attempt it came of. */
  readonly machine:
    | {
        readonly id: string;
        readonly nonce: string;
        /** The host key it made itself, which replaces the one that was sent along. */
        readonly ownKey?: string | undefined;
      }
    | undefined;
}
