import type { Clock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import { readDelivery } from "../core/webhook-delivery.ts";
import { matchListeners } from "../core/webhook-filter.ts";
import type { DeliveryOutcome } from "../core/webhook-outcome.ts";
import type { WebhookReceipt } from "../core/webhook-receipt.ts";
import type { WebhookFormat } from "../core/webhook-types.ts";
import type {
  DeliveriesPort,
  LiveWebhooks,
  WebhookReceipts,
  WebhooksPort,
} from "./webhook-ports.ts";

/** What replaying needs. */
export interface ReplayPorts {
  readonly webhooks: WebhooksPort;
  readonly deliveries: DeliveriesPort;
  readonly receipts: WebhookReceipts;
  readonly clock: Clock;
  newId(): string;
}

/**
 * Accepts a stored delivery again, as a new one, read and filtered by what is live now. A replay with
 * the `requestId` of an earlier one is its duplicate.
 * @throws AlError `unknown-receipt` (user), `not-serving` (transient).
 */
export async function replayDelivery(
  ports: ReplayPorts,
  receiptId: string,
  requestId = ports.newId(),
): Promise<DeliveryOutcome> {
  const original = await storedReceipt(ports.receipts, receiptId);
  const live = await ports.webhooks.current();
  if (!live) {
    const message = "webhooks cannot be accepted at the moment";
    throw new AlError(message, { code: "not-serving", blame: "transient" });
  }
  const reading = readDelivery(formatOf(original, live), original);
  if (!reading.ok) {
    throw new AlError(`receipt ${receiptId}: ${reading.problem}`, {
      ...{ code: "bad-body", blame: "bug" },
    });
  }
  const { context } = reading.event;
  const { matched } = matchListeners(live.listeners, original.sources, reading.event);
  // A space: no sender can give a delivery such an id.
  const receipt = {
    ...original,
    ...{ id: ports.newId(), deliveryId: `replay ${original.id} ${requestId}` },
    receivedAt: ports.clock.now(),
  };
  const trigger = { kind: "webhook", source: original.type, context } as const;
  return ports.deliveries.accept({ receipt, agents: matched, trigger });
}

async function storedReceipt(receipts: WebhookReceipts, id: string): Promise<WebhookReceipt> {
  const found = await receipts.get(id);
  if (found) return found;
  throw new AlError(`there is no receipt ${id}, or its body is not kept any more`, {
    code: "unknown-receipt",
    blame: "user",
  });
}

/** Where a `generic` source is gone, so are the names of its headers, and the body must do. */
function formatOf({ type, sources }: WebhookReceipt, live: LiveWebhooks): WebhookFormat {
  const found = live.sources.find(
    ({ name, format }) => format.type === type && sources.includes(name),
  );
  if (found) return found.format;
  return type === "generic" ? { type, headers: { signature: "" } } : { type };
}
