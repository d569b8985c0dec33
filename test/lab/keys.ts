import { createHash } from "node:crypto";
import { generateSshKeyPair } from "../../src/provisioning/ssh-key-pair.ts";

/** An SSH key pair in OpenSSH's own formats. */
export interface KeyPair {
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA...`, without a comment. */
  readonly publicKey: string;
}

/** A new ed25519 key pair without a passphrase. */
export function generateKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateSshKeyPair();
  return { privateKey: privateKey.reveal(), publicKey };
}

/** The fingerprint that ssh-keygen prints for a public key: `SHA256:...`. */
export function fingerprintOf(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
