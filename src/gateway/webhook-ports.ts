import type { NewRun } from "../core/run.ts";
import type { Trigger } from "../core/trigger.ts";
import type { WebhookSource } from "../core/webhook-authenticate.ts";
import type { WebhookListener } from "../core/webhook-filter.ts";
import type { DeliveryOutcome } from "../core/webhook-outcome.ts";
import type { ReceiptFacts, WebhookReceipt } from "../core/webhook-receipt.ts";

/** What the live release says of webhooks. */
export interface LiveWebhooks {
  readonly sources: readonly WebhookSource[];
  readonly listeners: readonly WebhookListener[];
}

/** Where the live release's webhooks are read, afresh at each call. */
export interface WebhooksPort {
  /** Undefined while this process may accept nothing. */
  current(): Promise<LiveWebhooks | undefined>;
}

/** The scheduler, as webhooks need it. */
export interface DeliveriesPort {
  /**
   * Accepts a delivery, with a run for each of these agents that can take one, in one transaction:
   * either all of it survives a power cut when this resolves, or nothing was stored.
   * @throws AlError blame `transient` when nothing can be accepted now.
   */
  accept(delivery: {
    readonly receipt: WebhookReceipt;
    readonly agents: readonly string[];
    readonly trigger: Trigger;
  }): Promise<DeliveryOutcome>;
}

/**
 * Durable memory of deliveries. A promise resolves only when the change survives a power cut, and every
 * call is atomic.
 */
export interface WebhookReceipts {
  /**
   * Stores receipts with their runs in one transaction: all, or nothing when it throws. False for each
   * {@link duplicate}, of which nothing is stored.
   */
  accept(
    deliveries: readonly { readonly receipt: WebhookReceipt; readonly runs: readonly NewRun[] }[],
  ): Promise<readonly boolean[]>;
  /** True when an equal delivery (type, sources, delivery id) was accepted before. */
  duplicate(receipt: ReceiptFacts): Promise<boolean>;
  /** Undefined for one that is not known, or whose body was dropped. */
  get(id: string): Promise<WebhookReceipt | undefined>;
  /** Newest first. */
  list(options: { readonly limit: number }): Promise<readonly ReceiptFacts[]>;
  /**
   * Forgets receipts from before a time (ms), and then bodies, oldest first, until those left have at
   * most so many bytes together: such a receipt still tells duplicates. Up to `limit` of each at a time,
   * which bounds how long it takes; true when there may be more.
   */
  prune(keep: {
    readonly since: number;
    readonly bodyBytes: number;
    readonly limit: number;
  }): Promise<boolean>;
}
