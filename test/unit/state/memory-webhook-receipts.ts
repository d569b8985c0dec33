import type { NewRun } from "../../../src/core/run.ts";
import {
  duplicatesSince,
  type ReceiptFacts,
  type WebhookReceipt,
} from "../../../src/core/webhook-receipt.ts";
import type { WebhookReceipts } from "../../../src/gateway/webhook-ports.ts";

/** A receipt as it is kept. */
export interface KeptReceipt {
  readonly facts: ReceiptFacts;
  body: Uint8Array | undefined;
}

/** Webhook receipts in memory: the reference that every store is held against. */
export function createMemoryWebhookReceipts(
  store: (runs: readonly NewRun[]) => void,
  memory: { all: KeptReceipt[] } = { all: [] },
) {
  const newest = () => memory.all.toSorted((a, b) => (a.facts.id < b.facts.id ? 1 : -1));
  const isDuplicate = (receipt: ReceiptFacts) =>
    memory.all.some(
      ({ facts }) =>
        nameOf(facts) === nameOf(receipt) && facts.receivedAt >= duplicatesSince(receipt),
    );
  return {
    async accept(deliveries: readonly { receipt: WebhookReceipt; runs: readonly NewRun[] }[]) {
      const before = [...memory.all];
      const accepted: NewRun[] = [];
      const results = deliveries.map(({ receipt: { body, ...facts }, runs }) => {
        if (isDuplicate(facts)) return false;
        memory.all.push({ facts, body });
        accepted.push(...runs);
        return true;
      });
      try {
        store(accepted);
      } catch (thrown) {
        memory.all = before;
        throw thrown;
      }
      return results;
    },
    duplicate: async (receipt: ReceiptFacts) => isDuplicate(receipt),
    async get(id: string) {
      const found = memory.all.find(({ facts }) => facts.id === id);
      return found?.body && { ...found.facts, body: found.body };
    },
    list: async ({ limit }: { limit: number }) =>
      newest()
        .slice(0, limit)
        .map(({ facts }) => facts),
    async prune({ since, bodyBytes, limit }: { since: number; bodyBytes: number; limit: number }) {
      const oldest = newest().toReversed();
      const old = oldest.filter(({ facts }) => facts.receivedAt < since).slice(0, limit);
      memory.all = memory.all.filter((each) => !old.includes(each));
      let total = 0;
      const over = newest().filter(({ body }) => {
        total += body?.byteLength ?? 0;
        return body !== undefined && total > bodyBytes;
      });
      const dropped = over.toReversed().slice(0, limit);
      for (const each of dropped) each.body = undefined;
      return old.length === limit || dropped.length === limit;
    },
  } satisfies WebhookReceipts;
}

function nameOf({ type, sources, deliveryId }: ReceiptFacts): string {
  return JSON.stringify([type, sources, deliveryId]);
}
