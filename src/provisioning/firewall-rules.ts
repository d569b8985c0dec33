import { EVERYWHERE, ipRange } from "../core/ip-range.ts";
import type { FirewallRule } from "../core/machine.ts";

/** Who may connect to a host. */
export interface Openness {
  /** Addresses and ranges that may use SSH; default everybody. */
  readonly sshFrom?: readonly string[] | undefined;
  readonly sshPort: number;
  /** Whether everybody may use HTTP and HTTPS. */
  readonly isPublic: boolean;
}

/**
 * The rules of a host's firewall: SSH, and HTTP with HTTPS where it is public.
 * @throws AlError `bad-ip-range` (user).
 */
export function firewallRules({ sshFrom, sshPort, isPublic }: Openness): readonly FirewallRule[] {
  const from = [...new Set((sshFrom ?? EVERYWHERE).map(ipRange))].sort();
  return [
    ...from.map((range) => tcp(sshPort, range)),
    ...(isPublic ? [80, 443].flatMap((port) => EVERYWHERE.map((range) => tcp(port, range))) : []),
  ];
}

function tcp(port: number, from: string): FirewallRule {
  return { protocol: "tcp", port, from };
}
