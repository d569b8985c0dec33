import { printable } from "../../base/printable.ts";
import type { ReceiptAnswer, ReplayAnswer } from "../../gateway/receipt-schema.ts";
import { tableLines, timeText } from "./table.ts";

/** A receipt, and the host that has it. */
export interface HostReceipt {
  readonly host: string;
  readonly receipt: ReceiptAnswer;
}

const HEAD = ["RECEIPT", "HOST", "TYPE", "SOURCE", "DELIVERY", "RECEIVED"];

/** Receipts as a table, a line each under a line of headings. */
export function receiptTable(receipts: readonly HostReceipt[]): string[] {
  if (receipts.length === 0) return ["no webhooks yet"];
  return tableLines(
    HEAD,
    receipts.map(({ host, receipt }) => {
      const { id, type, sources, deliveryId, receivedAt } = receipt;
      return [id, host, type, sources.join(","), deliveryId, timeText(receivedAt)];
    }),
  );
}

/** What a replay came to: the id of each run, and each agent that got none, with the reason. */
export function replayLines({ runs, refused }: ReplayAnswer): string[] {
  if (runs.length + refused.length === 0) return ["no agent listens for it now"];
  return [...runs, ...refused.map(({ agent, reason }) => `${agent}: ${printable(reason)}`)];
}
