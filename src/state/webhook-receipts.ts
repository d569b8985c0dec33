import type { DatabaseSync } from "node:sqlite";
import type { NewRun } from "../core/run.ts";
import {
  duplicatesSince,
  type ReceiptFacts,
  type WebhookReceipt,
} from "../core/webhook-receipt.ts";
import type { WebhookType } from "../core/webhook-types.ts";
import { inTransaction } from "./sqlite.ts";

interface ReceiptRow {
  readonly id: string;
  readonly type: string;
  readonly sources: string;
  readonly delivery_id: string;
  readonly received_at: number;
  readonly headers: string;
}

interface NewReceipt {
  readonly receipt: WebhookReceipt;
  readonly runs: readonly NewRun[];
}

interface PruneOptions {
  readonly since: number;
  readonly bodyBytes: number;
  readonly limit: number;
}

/** Names of sources have no comma. */
const SEPARATOR = ",";

/**
 * Webhook receipts in SQLite (a table of `RUN_MIGRATIONS`): satisfies the gateway's WebhookReceipts
 * port. `enqueue` stores a run with the same database's connection; it is called inside of the
 * transaction that stores the receipts, must be synchronous, and undoes all of it by throwing.
 */
export function createWebhookReceipts(database: DatabaseSync, enqueue: (run: NewRun) => void) {
  const statements = prepareStatements(database);
  const isDuplicate = (receipt: ReceiptFacts) => {
    const { deliveryId, type, sources } = receipt;
    const since = duplicatesSince(receipt);
    const key = [deliveryId, type, sources.join(SEPARATOR), since] as const;
    return statements.equal.get(...key) !== undefined;
  };
  return {
    async accept(deliveries: readonly NewReceipt[]): Promise<readonly boolean[]> {
      if (deliveries.length === 0) return [];
      return inTransaction(database, () =>
        deliveries.map(({ receipt, runs }) => {
          if (isDuplicate(receipt)) return false;
          const { id, type, sources, deliveryId, receivedAt, headers, body } = receipt;
          statements.insert.run(
            ...[id, type, sources.join(SEPARATOR), deliveryId],
            ...[receivedAt, JSON.stringify(headers), body],
          );
          for (const run of runs) enqueue(run);
          return true;
        }),
      );
    },

    async duplicate(receipt: ReceiptFacts): Promise<boolean> {
      return isDuplicate(receipt);
    },

    async get(id: string): Promise<WebhookReceipt | undefined> {
      const row = statements.get.get(id) as (ReceiptRow & { body: Uint8Array }) | undefined;
      return row && { ...factsOf(row), body: row.body };
    },

    async list({ limit }: { readonly limit: number }): Promise<readonly ReceiptFacts[]> {
      return (statements.list.all(limit) as unknown as ReceiptRow[]).map(factsOf);
    },

    async prune({ since, bodyBytes, limit }: PruneOptions): Promise<boolean> {
      return inTransaction(database, () => {
        const forgotten = statements.forget.run(since, limit).changes;
        const dropped = statements.dropBodies.run(bodyBytes, limit).changes;
        return forgotten === limit || dropped === limit;
      });
    },
  };
}

function prepareStatements(database: DatabaseSync) {
  return {
    equal: database.prepare(
      `SELECT 1 FROM webhook_receipts
       WHERE delivery_id = ? AND type = ? AND sources = ? AND received_at >= ? LIMIT 1`,
    ),
    insert: database.prepare(
      `INSERT INTO webhook_receipts (id, type, sources, delivery_id, received_at, headers, body)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    get: database.prepare("SELECT * FROM webhook_receipts WHERE id = ? AND body IS NOT NULL"),
    list: database.prepare(
      `SELECT id, type, sources, delivery_id, received_at, headers FROM webhook_receipts
       ORDER BY id DESC LIMIT ?`,
    ),
    forget: database.prepare(
      `DELETE FROM webhook_receipts WHERE id IN (
         SELECT id FROM webhook_receipts WHERE received_at < ? ORDER BY id LIMIT ?)`,
    ),
    dropBodies: database.prepare(
      `UPDATE webhook_receipts SET body = NULL WHERE id IN (
         SELECT id FROM (
           SELECT id, sum(length(body)) OVER (ORDER BY id DESC) AS total
           FROM webhook_receipts WHERE body IS NOT NULL
         ) WHERE total > ? ORDER BY id LIMIT ?)`,
    ),
  };
}

function factsOf(row: ReceiptRow): ReceiptFacts {
  return {
    id: row.id,
    type: row.type as WebhookType,
    sources: row.sources.split(SEPARATOR),
    deliveryId: row.delivery_id,
    receivedAt: row.received_at,
    headers: JSON.parse(row.headers) as Record<string, string>,
  };
}
