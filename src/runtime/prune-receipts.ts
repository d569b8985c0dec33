import type { Clock } from "../base/clock.ts";
import { toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { RECEIPT_RETENTION } from "../core/webhook-receipt.ts";
import type { WebhookReceipts } from "../gateway/webhook-ports.ts";

const HOUR_MS = 60 * 60 * 1000;

/** Forgets receipts that are past their retention, at once and then every hour; ends when aborted. */
export async function keepReceiptsPruned(
  { receipts, clock, logger }: Pruning,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { ms, bodyBytes } = RECEIPT_RETENTION;
      await receipts.prune({ since: clock.now() - ms, bodyBytes });
    } catch (thrown) {
      logger.error({ err: toAlError(thrown) }, "old webhook receipts were not forgotten");
    }
    await clock.sleep(HOUR_MS, signal).catch(() => undefined);
  }
}

interface Pruning {
  readonly receipts: Pick<WebhookReceipts, "prune">;
  readonly clock: Clock;
  readonly logger: Logger;
}
