import type {
  FirewallDifference,
  FirewallRule,
  Machine,
  MachineCatalogue,
  MachineChoice,
  MachinePlan,
  MachineRecord,
  MachineRequest,
  NamedItem,
} from "../core/machine.ts";

/** Options of every call to a provider. */
export interface ProviderCall {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Somebody who rents out machines. Every call but `createMachine` may be repeated without harm.
 *
 * Any of them throws AlError: `provider-key-refused` (user), `provider-unreachable` (transient),
 * `provider-answer-unreadable` (bug).
 */
export interface MachineProvider {
  /** As fleet.toml has it. */
  readonly name: string;
  /** Whose key it is. */
  account(call?: ProviderCall): Promise<string>;
  catalogue(call?: ProviderCall): Promise<MachineCatalogue>;
  /**
   * The plan, if the choice can be had now.
   * @throws AlError `no-such-region`, `no-such-plan`, `plan-not-in-region`, `plan-sold-out`, `no-such-os` (user).
   */
  checkChoice(choice: MachineChoice, call?: ProviderCall): Promise<MachinePlan>;
  /**
   * Orders a machine, once; it is `starting` for a minute or so.
   * @throws AlError what `checkChoice` throws, `provider-quota`, `provider-refused` (user): nothing was made;
   * `provider-answer-lost` (transient): one may have been made, or may yet be.
   */
  createMachine(request: MachineRequest, call?: ProviderCall): Promise<Machine>;
  /** Those with this tag, oldest first. A new one may take some seconds to show. */
  findMachines(tag: string, call?: ProviderCall): Promise<readonly Machine[]>;
  /** Undefined when there is none; also, for some seconds, for a new one. */
  getMachine(id: string, call?: ProviderCall): Promise<Machine | undefined>;
  /** Gives it back with all its data; none is fine. */
  deleteMachine(id: string, call?: ProviderCall): Promise<void>;
  /** Makes the firewall of this name let in exactly this; its id. */
  ensureFirewall(
    firewall: { readonly name: string; readonly rules: readonly FirewallRule[] },
    call?: ProviderCall,
  ): Promise<string>;
  /** How the firewall of this name differs from that; changes nothing. */
  firewallDifference(
    firewall: { readonly name: string; readonly rules: readonly FirewallRule[] },
    call?: ProviderCall,
  ): Promise<FirewallDifference>;
  /** None is fine. @throws AlError `firewall-in-use` (user) while a machine is behind it. */
  removeFirewall(name: string, call?: ProviderCall): Promise<void>;
  /** Every firewall of the account, also those of others. */
  listFirewalls(call?: ProviderCall): Promise<readonly NamedItem[]>;
  /** Removes every public key of this name; none is fine. */
  removeSshKey(name: string, call?: ProviderCall): Promise<void>;
  /** Every public key of the account, also those of others. */
  listSshKeys(call?: ProviderCall): Promise<readonly NamedItem[]>;
}

/** What is remembered of machines, one record a host; written for good when a call returns. */
export interface MachineRecords {
  machineRecord(host: string): MachineRecord | undefined;
  /** All of the project, sorted by host. */
  machineRecords(): readonly MachineRecord[];
  /** Replaces the host's record. */
  recordMachine(record: MachineRecord): void;
  /** None is fine. */
  forgetMachine(host: string): void;
}

/** Where a new machine is reached, and as whom. */
export interface MachinePlace {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
}

/** Speaks to machines before they are hosts. */
export interface ContactPort {
  /**
   * A connection to a machine that proves one of these public host keys.
   * @throws AlError `unreachable` (transient), `host-key-mismatch`, `auth-failed` (user).
   */
  connect(
    place: MachinePlace,
    hostKeys: readonly string[],
    call?: ProviderCall,
  ): Promise<NewMachine>;
}

/** A machine that proved its key. Every call may be repeated without harm. */
export interface NewMachine {
  /**
   * What it still lacks to be a host, in a few words; undefined when that is nothing.
   * @throws AlError `first-boot-failed` (user) where it will never have it.
   */
  lacks(call?: ProviderCall): Promise<string | undefined>;
  /** The public half of the key that is to replace `first`; the machine makes it if it has none yet. */
  ownHostKey(first: string, call?: ProviderCall): Promise<string>;
  /** Has it prove itself with that key, which it has made before, from now on. */
  takeHostKey(own: string, call?: ProviderCall): Promise<void>;
  close(): Promise<void>;
}

/** The host keys that were approved; written for good when a call returns. */
export interface HostKeyApprovals {
  isApproved(host: string, hostKey: string): boolean;
  /** Replaces the one that was approved before. */
  approve(place: MachinePlace, hostKey: string): void;
}

/** The same, and the next key of a host. */
export interface HostKeyPins extends HostKeyApprovals {
  /** Believes this key beside the approved one, until one is approved. */
  expect(host: string, hostKey: string): void;
}

/** Speaks to hosts whose key is replaced. */
export interface RotationPort extends ContactPort {
  /**
   * The public key that answers at a host's address, if it is believed; logs in nowhere.
   * @throws AlError `unreachable` (transient), `host-key-mismatch`, `approval-needed` (user).
   */
  believedKey(place: MachinePlace, call?: ProviderCall): Promise<string>;
}
