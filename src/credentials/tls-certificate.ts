import { createSecureContext } from "node:tls";
import { AlError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import { addCommand } from "../core/certificate-health.ts";
import type { CredentialRef } from "../core/credential-types.ts";

/**
 * Checks that a `tls_certificate` is a certificate with its key, as PEM; of other types, and of one that is
 * not there whole, nothing is said. `field` gives the value of a field.
 * @throws AlError `certificate-unusable` (user).
 */
export function checkCertificate(
  { type, instance }: CredentialRef,
  field: (name: string) => Secret | undefined,
): void {
  if (type !== "tls_certificate") return;
  const [cert, key] = [field("certificate"), field("private_key")];
  if (!cert || !key) return;
  try {
    createSecureContext({ cert: cert.revealBytes(), key: key.revealBytes() });
  } catch (cause) {
    const message = `tls_certificate:${instance} is not a certificate with its key, both as PEM`;
    throw new AlError(message, {
      code: "certificate-unusable",
      blame: "user",
      hint: `Store both, the key without a passphrase, and deliver them: ${addCommand(instance)}, then: al push`,
      cause,
    });
  }
}
