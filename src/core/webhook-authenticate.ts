import type { Secret } from "../base/secret.ts";
import { type RawDelivery, signatureOf } from "./webhook-delivery.ts";
import { isSignedBy } from "./webhook-signature.ts";
import type { WebhookFormat } from "./webhook-types.ts";

/** One `[webhooks.<name>]` of config.toml, with what checks its deliveries. */
export interface WebhookSource {
  readonly name: string;
  readonly format: WebhookFormat;
  /** Of all the instances it names; a delivery may be signed with any of them. */
  readonly secrets: readonly Secret[];
  /** Takes unsigned deliveries when it has no secret. */
  readonly allowUnsigned: boolean;
  readonly deliveriesPerMinute: number;
}

/** Which sources a delivery is from; none when it is refused. */
export type Authentication =
  | { readonly ok: true; readonly sources: readonly [WebhookSource, ...WebhookSource[]] }
  | { readonly ok: false; readonly problem: string; readonly hint: string };

/**
 * Finds the sources that a delivery is from, sorted by name: those with a secret that it is signed with,
 * or else, when it carries no signature that somebody could check, those that allow unsigned deliveries.
 */
export function authenticate(
  sources: readonly WebhookSource[],
  delivery: RawDelivery,
): Authentication {
  const sorted = [...sources].sort((a, b) => (a.name < b.name ? -1 : 1));
  const checking = sorted.filter(({ secrets }) => secrets.length > 0);
  const [signed, ...others] = checking.filter(({ format, secrets }) =>
    isSignedBy(secrets, delivery.body, signatureOf(format, delivery.headers)),
  );
  if (signed) return { ok: true, sources: [signed, ...others] };
  if (checking.some(({ format }) => signatureOf(format, delivery.headers) !== undefined)) {
    return {
      ok: false,
      problem: "the signature does not fit the body",
      hint: "Give the sender the secret that is stored here, and let nothing between change the body.",
    };
  }
  const [open, ...more] = sorted.filter(
    ({ allowUnsigned, secrets }) => allowUnsigned && secrets.length === 0,
  );
  if (open) return { ok: true, sources: [open, ...more] };
  return {
    ok: false,
    problem: "the delivery is not signed",
    hint: "Set the secret at the sender; only a source with allowUnsigned = true takes unsigned deliveries.",
  };
}
