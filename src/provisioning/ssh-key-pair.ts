import { generateKeyPairSync, randomBytes } from "node:crypto";
import { Secret } from "../base/secret.ts";

const KEY_TYPE = "ssh-ed25519";
const END = "-----END OPENSSH PRIVATE KEY-----";

/** An SSH key pair in OpenSSH's own formats. */
export interface SshKeyPair {
  readonly privateKey: Secret;
  /** `ssh-ed25519 AAAA...`, without a comment. */
  readonly publicKey: string;
}

/**
 * A new ed25519 key pair without a passphrase, in the format of OpenSSH's PROTOCOL.key.
 * ssh2's own generator is not used: OpenSSH refuses some of its keys ("error in libcrypto").
 */
export function generateSshKeyPair(): SshKeyPair {
  const jwk = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const publicBytes = Buffer.from(jwk.x ?? "", "base64url");
  const seed = Buffer.from(jwk.d ?? "", "base64url");
  const publicBlob = Buffer.concat([field(KEY_TYPE), field(publicBytes)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([
    ...[check, check, publicBlob],
    field(Buffer.concat([seed, publicBytes])),
    field(""),
  ]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (secret.length % 8)) % 8);
  const blob = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...[field("none"), field("none"), field("")],
    ...[uint32(1), field(publicBlob), field(Buffer.concat([secret, padding]))],
  ]);
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return {
    privateKey: new Secret(
      ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, `${END}\n`].join("\n"),
    ),
    publicKey: `${KEY_TYPE} ${publicBlob.toString("base64")}`,
  };
}

function field(content: string | Buffer): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
