import { Secret } from "../../src/base/secret.ts";
import type { MachineRequest } from "../../src/core/machine.ts";
import type { MachineProvider } from "../../src/provisioning/ports.ts";
import type { LeapingClock } from "../vultr/leaping-clock.ts";

/** A provider whose account is empty, and the time it lives in. */
export interface ProviderWorld {
  readonly provider: MachineProvider;
  /** The same account with a key that is not valid. */
  readonly withWrongKey: MachineProvider;
  readonly clock: LeapingClock;
  /** Region and plan that can be had, and a plan that exists but not in that region. */
  readonly choice: { readonly region: string; readonly plan: string; readonly notHere: string };
  /** What a firewall lets in, as the provider's own console would show it: `tcp 22 203.0.113.7/32`. */
  rulesOf(firewallId: string): readonly string[];
  /** Somebody puts a public key there under this name; its id. */
  putSshKey(name: string): string;
  /** Every machine there ever was. */
  machinesMade(): number;
  /** Something goes wrong with the next request, or the next that orders a machine; `times` of them. */
  trouble(kind: ProviderTrouble, options?: TroubleOptions): void;
  close?(): Promise<void>;
}

/**
 * What goes wrong at a provider.
 * - `busy`, `broken`: it refuses for now, and does nothing.
 * - `cut`: it does what is asked, and the connection ends before its answer.
 * - `misreported`: it does what is asked, and says that it failed.
 * - `garbled`: what it answers is not what it documents.
 * - `full`, `sold-out`: the account may have no more machines; the plan of the choice is out of stock.
 */
export type ProviderTrouble =
  | "busy"
  | "broken"
  | "cut"
  | "misreported"
  | "garbled"
  | "full"
  | "sold-out";

export interface TroubleOptions {
  readonly to?: "order";
  readonly times?: number;
}

/** An order for the machine of host web-1. */
export function requestFor(
  { choice }: ProviderWorld,
  tags: readonly string[] = [],
): MachineRequest {
  const { region, plan } = choice;
  const userData = new Secret("#cloud-config\n{}\n");
  return { region, plan, os: "debian-13", name: "web-1", tags, userData, ipv6: true };
}
