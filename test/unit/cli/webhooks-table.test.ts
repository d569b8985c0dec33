import { expect, test } from "vitest";
import { receiptTable, replayLines } from "../../../src/cli/render/webhooks.ts";
import type { ReceiptAnswer } from "../../../src/gateway/receipt-schema.ts";

const receipt: ReceiptAnswer = {
  ...{ id: "01KAAAAAAAAAAAAAAAAAAAAAAA", type: "github", sources: ["acme", "other"] },
  ...{ deliveryId: "d\u001b[2J", receivedAt: 0, headers: {} },
};

test("receipts are a table", () => {
  expect(receiptTable([{ host: "one", receipt }])).toEqual([
    "RECEIPT                     HOST  TYPE    SOURCE      DELIVERY    RECEIVED",
    "01KAAAAAAAAAAAAAAAAAAAAAAA  one   github  acme,other  d\\u{1b}[2J  1970-01-01 00:00:00Z",
  ]);
  expect(receiptTable([])).toEqual(["no webhooks yet"]);
});

test("a replay says which runs it made, and why an agent got none", () => {
  const refused = [{ agent: "dev", reason: "its queue is full" }];
  expect(replayLines({ runs: ["01R"], refused, duplicate: false })).toEqual([
    ...["01R", "dev: its queue is full"],
  ]);
  expect(replayLines({ runs: [], refused: [], duplicate: false })).toEqual([
    "no agent listens for it now",
  ]);
});
