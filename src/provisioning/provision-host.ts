import { AlError, hasCode, toAlError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import {
  type FirewallRule,
  MACHINE_SSH_PORT,
  type Machine,
  type MachineOs,
  type MachineSpec,
} from "../core/machine.ts";
import { awaitMachine } from "./await-machine.ts";
import { type EnsuredMachine, ensureMachine } from "./ensure-machine.ts";
import { findAllOwn } from "./find-own.ts";
import { firewallRules } from "./firewall-rules.ts";
import { type FirstContactDeps, replaceFirstKey } from "./first-contact.ts";
import { itemName } from "./machine-tags.ts";
import type { MachinePlace, MachineProvider } from "./ports.ts";

/** A host and the machine it is to have. */
export interface HostOrder {
  readonly project: string;
  readonly host: string;
  /** Whom the machine is made with. */
  readonly user: string;
  readonly machine: MachineSpec;
  /** Whether everybody may use HTTP and HTTPS there. */
  readonly isPublic: boolean;
}

/** What {@link provisionHost} works with. */
export interface ProvisionDeps extends FirstContactDeps {
  readonly provider: MachineProvider;
  /** Random, lower-case letters and digits. */
  readonly newNonce: () => string;
  /** A new host key pair: its public half, and user data that holds the private one. */
  readonly firstBoot: (boot: {
    readonly os: MachineOs;
    readonly memoryMb: number;
    readonly user: string;
  }) => Promise<{ readonly userData: Secret; readonly hostKey: string }>;
}

/** What a host is being given. */
export type ProvisionStep = "firewall" | "machine" | "boot" | "first-boot" | "done";

/** How it is watched and ended. */
export interface ProvisionOptions {
  /** Told of every step that begins, and of what it waits for. */
  readonly onStep?: (step: ProvisionStep, waitsFor?: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A host that can be deployed to: public facts. */
export interface ProvisionedHost extends MachinePlace {
  readonly instanceId: string;
  /** Where fleet.toml asks for one. */
  readonly ipv6: string | undefined;
  /** `ssh-ed25519 AAAA...`, approved. */
  readonly hostKey: string;
  /** False when the machine was there before. */
  readonly isNew: boolean;
}

/**
 * Gives a host its firewall and its machine, and makes the machine ready to be deployed to. Whatever
 * cuts it off, calling it again finishes, with one machine; on a host that is ready it brings the
 * firewall up to date.
 *
 * @throws AlError what `ensureMachine`, `awaitMachine` and `replaceFirstKey` throw, or the provider's.
 */
export async function provisionHost(
  order: HostOrder,
  deps: ProvisionDeps,
  { onStep = () => {}, signal }: ProvisionOptions = {},
): Promise<ProvisionedHost> {
  const { host } = order;
  const { provider, clock } = deps;
  try {
    const made = await machineFor(order, deps, { onStep, signal });
    const { machine, hostKey, user = order.user, isNew, firewallId } = made;
    onStep("boot");
    const onLook = (seen: Machine | undefined) => onStep("boot", bootWaitsFor(seen));
    const waiting = { provider, clock, host, signal, onLook };
    const ready = await awaitMachine(machine.id, waiting);
    const { address, ipv6 } = ready;
    if (ready.firewallId !== firewallId) {
      await provider.attachFirewall(machine.id, firewallId, { signal });
    }
    const place = { host, address, port: MACHINE_SSH_PORT, user };
    onStep("first-boot");
    const onWait = (what: string) => onStep("first-boot", what);
    const own = await replaceFirstKey(place, hostKey, deps, { onWait, signal });
    onStep("done");
    return { ...place, instanceId: machine.id, ipv6, hostKey: own, isNew };
  } catch (thrown) {
    signal?.throwIfAborted();
    throw ofHost(host, thrown);
  }
}

function bootWaitsFor(seen: Machine | undefined): string | undefined {
  if (!seen) return "the provider to know it";
  if (seen.address === undefined) return "its address";
  return seen.state === "ready" ? undefined : "the provider to say that it is up";
}

/** The same error, naming the host where it does not yet: several may be provisioned at once. */
function ofHost(host: string, thrown: unknown): AlError {
  const error = toAlError(thrown);
  if (error.message.includes(`host ${host}`)) return error;
  const { code, blame, hint } = error;
  const more = { cause: error, ...(hint === undefined ? {} : { hint }) };
  return new AlError(`host ${host}: ${error.message}`, { code, blame, ...more });
}

/** The firewall that a host is to have. */
export function firewallOf({ project, host, machine: { sshFrom }, isPublic }: HostOrder): {
  readonly name: string;
  readonly rules: readonly FirewallRule[];
} {
  const rules = firewallRules({ sshFrom, sshPort: MACHINE_SSH_PORT, isPublic });
  return { name: itemName({ project, host }), rules };
}

/** The firewall first, so that no machine is ever without it. */
async function machineFor(
  order: HostOrder,
  deps: ProvisionDeps,
  { onStep, signal }: Required<Pick<ProvisionOptions, "onStep">> & ProvisionOptions,
): Promise<EnsuredMachine & { readonly firewallId: string }> {
  const { provider, records } = deps;
  const { project, host, user } = order;
  const { os, region, plan: planId, tags, ipv6 } = order.machine;
  const choice = { region, plan: planId, os };
  // A machine that is there, or may be, needs no plan in stock; another one that is ordered does.
  const { attempts = [], machine } = records.machineRecord(host) ?? {};
  const isBegun = machine !== undefined || attempts.length > 0;
  const plan = isBegun ? undefined : await provider.checkChoice(choice, { signal });
  onStep("firewall");
  const firewall = firewallOf(order);
  const firewallId = await provider.ensureFirewall(firewall, { signal });
  onStep("machine");
  const firstBoot = async () => {
    const { memoryMb } = plan ?? (await provider.checkChoice(choice, { signal }));
    return deps.firstBoot({ os, user, memoryMb });
  };
  try {
    const wanted = { project, host, user, ...choice, tags, ipv6, firewallId };
    return { ...(await ensureMachine(wanted, { ...deps, firstBoot }, { signal })), firewallId };
  } catch (thrown) {
    const isRefused = hasCode(thrown, "provider-quota") || hasCode(thrown, "provider-refused");
    if (isRefused) await removeUnused(order, deps, signal).catch(() => {});
    throw thrown;
  }
}

/** The firewall of a host that has no machine; one that was ordered, by whomever, may be about to get it. */
async function removeUnused(
  { project, host }: HostOrder,
  { provider, records, clock }: ProvisionDeps,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { attempts = [] } = records.machineRecord(host) ?? {};
  if (attempts.length > 0) return;
  const { strangers } = await findAllOwn(provider, { project, host, attempts, clock, signal });
  if (strangers.length === 0)
    await provider.removeFirewall(itemName({ project, host }), { signal });
}
