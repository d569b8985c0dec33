import type { CallOptions } from "../base/deadline.ts";
import { type Endpoint, formatEndpoint } from "../transport/dial.ts";
import { hostKeyMismatch } from "../transport/host-key.ts";
import { readHostKey } from "../transport/read-host-key.ts";
import { notApproved } from "./compose.ts";

/**
 * The public key that a host offers now, if it is one of those that are believed. Logs in nowhere.
 * @throws AlError `unreachable` (transient), `host-key-mismatch`, `approval-needed` (user).
 */
export async function believedKey(
  endpoint: Endpoint,
  fingerprints: readonly string[],
  options: CallOptions = {},
): Promise<string> {
  if (fingerprints.length === 0) throw notApproved(endpoint.host);
  const offered = await readHostKey(endpoint, options);
  if (fingerprints.includes(offered.fingerprint)) return offered.publicKey;
  const pin = { kind: "pinned", fingerprints } as const;
  const { host } = endpoint;
  throw hostKeyMismatch({ host, endpoint: formatEndpoint(endpoint) }, pin, offered);
}
