import type { Migration } from "./sqlite.ts";

/**
 * The table of webhook receipts, one of `RUN_MIGRATIONS`. It has few indexes, since each is
 * paid for by every delivery; the body comes last, so that reading the rest does not read it.
 */
export const WEBHOOK_MIGRATION: Migration = `
  CREATE TABLE webhook_receipts (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    sources TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB
  ) STRICT;
  CREATE INDEX webhook_receipts_by_delivery
    ON webhook_receipts (delivery_id, type, sources, received_at);`;
