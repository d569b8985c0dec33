import ssh2 from "ssh2";
import { AlError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";

/**
 * The public half of a private key: `ssh-ed25519 AAAA...`.
 * @throws AlError `unusable-key` (user) for what is no private key, or has a passphrase.
 */
export function publicKeyOf(privateKey: Secret): string {
  const key = ssh2.utils.parseKey(privateKey.revealBytes());
  if (!(key instanceof Error) && key.isPrivateKey()) {
    return `${key.type} ${key.getPublicSSH().toString("base64")}`;
  }
  const reason = key instanceof Error ? key.message : "it is a public key";
  throw new AlError(`the SSH key for the fleet's hosts cannot be used: ${reason}`, {
    code: "unusable-key",
    blame: "user",
    hint: "Store an OpenSSH private key without a passphrase: al creds add vps_ssh --field private_key=@FILE",
  });
}
