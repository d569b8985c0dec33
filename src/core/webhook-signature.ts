import { createHmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "../base/secret.ts";

/**
 * True when `signature` (hex, with or without `sha256=` before it) is the HMAC-SHA256 of these bytes
 * under one of the secrets. How long it takes tells nothing of the expected value, nor of which secret
 * fits. An empty secret fits nothing: anybody could sign with it.
 */
export function isSignedBy(
  secrets: readonly Secret[],
  body: Uint8Array,
  signature: string | undefined,
): boolean {
  const hex = /^(?:sha256=)?([0-9a-f]{64})$/i.exec(signature?.trim() ?? "")?.[1];
  if (hex === undefined) return false;
  const given = Buffer.from(hex, "hex");
  let fits = false;
  for (const secret of secrets) {
    const expected = createHmac("sha256", secret.revealBytes()).update(body).digest();
    fits = (timingSafeEqual(expected, given) && secret.byteLength > 0) || fits;
  }
  return fits;
}
