import { hasCode } from "../base/errors.ts";
import type { Approval } from "../core/approval.ts";
import type { HostAddress, HostSpec } from "../core/desired.ts";
import { compareText } from "../core/fingerprint.ts";
import type { ApprovalsPort, HostSession, HostsPort } from "./ports.ts";

/** A connection, or what the operator must approve before there can be one. */
export type Contact =
  | { readonly kind: "connected"; readonly session: HostSession }
  | { readonly kind: "approval-needed"; readonly approvals: readonly Approval[] };

/**
 * Connects to a host that proves its approved key. An unknown or changed key is never accepted:
 * it comes back as a question. Other failures throw.
 */
export async function contactHost(
  hosts: HostsPort,
  approvals: ApprovalsPort,
  address: HostAddress,
  signal?: AbortSignal,
): Promise<Contact> {
  const fingerprint = approvals.hostKey(address.host);
  if (address.provider !== "local" && fingerprint === undefined) {
    return askForKey(hosts, address, { signal });
  }
  try {
    return {
      kind: "connected",
      session: await hosts.connect(address, { fingerprint, signal }),
    };
  } catch (thrown) {
    if (!hasCode(thrown, "host-key-mismatch")) throw thrown;
    return askForKey(hosts, address, { signal, replaces: fingerprint });
  }
}

/** Pairings of credential, agent and host that nobody approved for this remote yet. */
export function missingGrants(
  spec: HostSpec,
  remote: string,
  approvals: ApprovalsPort,
): readonly Approval[] {
  const grants = spec.credentials.flatMap(({ type, instance, agents }) =>
    agents.map((agent) => ({
      kind: "grant" as const,
      credential: `${type}:${instance}`,
      agent,
      host: spec.host,
      remote,
    })),
  );
  return grants
    .filter((grant) => !approvals.isGranted(grant))
    .sort((a, b) => compareText(`${a.credential} ${a.agent}`, `${b.credential} ${b.agent}`));
}

async function askForKey(
  hosts: HostsPort,
  address: HostAddress,
  options: { signal?: AbortSignal | undefined; replaces?: string | undefined },
): Promise<Contact> {
  const offered = await hosts.readHostKey(address, { signal: options.signal });
  const approval: Approval = {
    kind: "host-key",
    host: address.host,
    fingerprint: offered?.fingerprint ?? "none",
    endpoint: `${address.address}:${address.port}`,
    replaces: options.replaces,
  };
  return { kind: "approval-needed", approvals: [approval] };
}
