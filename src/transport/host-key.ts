import { createHash } from "node:crypto";
import type { ServerHostKeyAlgorithm } from "ssh2";
import { AlError } from "../base/errors.ts";

/**
 * The host keys that were approved for a machine, as OpenSSH fingerprints (`SHA256:...`).
 * There is deliberately no value that accepts any key.
 */
export interface HostKeyPin {
  readonly kind: "pinned";
  /** More than one only while a key is being replaced. */
  readonly fingerprints: readonly string[];
}

/** A public host key as a machine presented it. */
export interface HostKey {
  /** `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** `ssh-ed25519 AAAA...`, as in a known_hosts file. */
  readonly publicKey: string;
}

/** Which key a machine is asked for: the first of these that it has, so the answer is always the same. */
export const HOST_KEY_ALGORITHMS: ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/** Reads a key in SSH wire format: a length-prefixed type, then its numbers. */
export function parseHostKey(wire: Buffer): HostKey {
  const type = wire.subarray(4, 4 + wire.readUInt32BE(0)).toString("ascii");
  return {
    fingerprint: fingerprintOf(wire),
    publicKey: `${type} ${wire.toString("base64")}`,
  };
}

/** OpenSSH's SHA-256 fingerprint of a public key in wire format. */
export function fingerprintOf(wire: Buffer): string {
  return `SHA256:${createHash("sha256").update(wire).digest("base64").replace(/=+$/, "")}`;
}

/** The same of a public key in text: `ssh-ed25519 AAAA...`. */
export function fingerprintOfText(publicKey: string): string {
  return fingerprintOf(Buffer.from(publicKey.split(" ")[1] ?? "", "base64"));
}

/**
 * Refuses a pin that could never match.
 * @throws AlError `host-key-unknown` (user) when nothing is pinned or a fingerprint is malformed.
 */
export function checkPin(host: string, pin: HostKeyPin): void {
  const malformed = pin.fingerprints.find((text) => !/^SHA256:[A-Za-z0-9+/]{43}$/.test(text));
  if (pin.fingerprints.length > 0 && malformed === undefined) return;
  const what =
    malformed === undefined
      ? "no host key is approved"
      : `${JSON.stringify(malformed)} is not a SHA256 fingerprint`;
  throw new AlError(`host ${host}: ${what}`, {
    code: "host-key-unknown",
    blame: "user",
    hint: "Approve the host's key after comparing its fingerprint with the one shown on the host by: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
  });
}

/** The error for a key that is not the approved one. */
export function hostKeyMismatch(
  machine: { readonly host: string; readonly endpoint: string },
  pin: HostKeyPin,
  offered: HostKey,
): AlError {
  const type = offered.publicKey.split(" ", 1)[0];
  return new AlError(
    `host ${machine.host} at ${machine.endpoint} offers host key ${offered.fingerprint} (${type}), but approved is ${pin.fingerprints.join(" or ")}; nothing was sent to it`,
    {
      code: "host-key-mismatch",
      blame: "user",
      hint: "If the machine was rebuilt, compare the new fingerprint on its console and approve it; if not, somebody else may be answering at this address.",
    },
  );
}
