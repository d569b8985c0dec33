import { deliveryIdOf, headersToKeep, isHashId, type RawDelivery } from "./webhook-delivery.ts";
import type { WebhookFormat, WebhookType } from "./webhook-types.ts";

/** A delivery that was let in, without its body. */
export interface ReceiptFacts {
  /** ULID: sorts by time of receipt. */
  readonly id: string;
  readonly type: WebhookType;
  /** Names of the sources it came from, sorted. */
  readonly sources: readonly string[];
  /** The sender's name for it, or its body's hash. */
  readonly deliveryId: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** What reading it again needs; no signature. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A delivery that was let in, as it came: it can be read again. */
export interface WebhookReceipt extends ReceiptFacts {
  readonly body: Uint8Array;
}

/**
 * For how long an equal body is the same delivery, where its sender gives deliveries no names: longer
 * than senders go on trying, shorter than the day after which the same words may mean something new.
 */
const SAME_BODY_MS = 12 * 60 * 60 * 1000;

/** The receipt of a delivery. */
export function receiptOf(
  format: WebhookFormat,
  delivery: RawDelivery,
  facts: Pick<ReceiptFacts, "id" | "sources" | "receivedAt">,
): WebhookReceipt {
  return {
    ...{ id: facts.id, type: format.type, sources: facts.sources },
    ...{ deliveryId: deliveryIdOf(format, delivery), receivedAt: facts.receivedAt },
    headers: headersToKeep(format, delivery.headers),
    body: delivery.body,
  };
}

/**
 * From when on an earlier receipt of the same type, sources and delivery id makes this one a duplicate;
 * ms since the epoch. A name given by the sender holds as long as its receipt is kept.
 */
export function duplicatesSince({ deliveryId, receivedAt }: ReceiptFacts): number {
  return isHashId(deliveryId) ? receivedAt - SAME_BODY_MS : 0;
}
