import { expect, test } from "vitest";
import { silentLogger } from "../../../src/base/logger.ts";
import { RECEIPT_RETENTION, type WebhookReceipt } from "../../../src/core/webhook-receipt.ts";
import { keepReceiptsPruned } from "../../../src/runtime/prune-receipts.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { createWebhookReceipts } from "../../../src/state/webhook-receipts.ts";
import { SimulatedClock } from "../schedule/simulated-clock.ts";

const HOUR_MS = 60 * 60 * 1000;

test("receipts are forgotten within an hour of their retention's end, and none before", async () => {
  const clock = new SimulatedClock();
  const database = openDatabase(":memory:", RUN_MIGRATIONS);
  const receipts = createWebhookReceipts(database, () => undefined);
  const receipt = (id: string): WebhookReceipt => ({
    ...({ id, type: "github", sources: ["acme"], deliveryId: id, headers: {} } as const),
    ...{ receivedAt: clock.now(), body: Buffer.from("{}") },
  });
  await receipts.accept([{ receipt: receipt("1"), runs: [] }]);
  await clock.advance(2 * HOUR_MS);
  await receipts.accept([{ receipt: receipt("2"), runs: [] }]);
  const abort = new AbortController();
  const pruned = keepReceiptsPruned({ receipts, clock, logger: silentLogger }, abort.signal);
  const ids = async () => (await receipts.list({ limit: 9 })).map(({ id }) => id);
  await clock.advance(RECEIPT_RETENTION.ms - 2 * HOUR_MS);
  expect(await ids()).toEqual(["2", "1"]);
  await clock.advance(HOUR_MS);
  expect(await ids()).toEqual(["2"]);
  abort.abort();
  await pruned;
  database.close();
});
