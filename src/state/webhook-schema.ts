import type { Migration } from "./sqlite.ts";

/** The tables of webhook receipts, beside those of `RUN_MIGRATIONS`. */
export const WEBHOOK_MIGRATION: Migration = `
  CREATE TABLE webhook_receipts (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    sources TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    headers TEXT NOT NULL
  ) STRICT;
  CREATE INDEX webhook_receipts_by_delivery
    ON webhook_receipts (delivery_id, type, sources, received_at);
  CREATE INDEX webhook_receipts_by_time ON webhook_receipts (received_at);
  CREATE TABLE webhook_bodies (
    receipt TEXT PRIMARY KEY REFERENCES webhook_receipts (id) ON DELETE CASCADE,
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;`;
