import { z } from "zod";
import { webhookTypes } from "../core/webhook-types.ts";

/** A receipt, as the control API shows it. Times are ms since the epoch. */
export const ReceiptAnswer = z
  .object({
    id: z.string(),
    type: z.enum(webhookTypes),
    sources: z.array(z.string()),
    /** The sender's name for the delivery, or its body's hash. */
    deliveryId: z.string(),
    receivedAt: z.int().nonnegative(),
    headers: z.record(z.string(), z.string()),
  })
  .meta({ id: "Receipt" });
export type ReceiptAnswer = z.infer<typeof ReceiptAnswer>;

/** `GET /control/webhooks`, newest first. */
export const ReceiptsAnswer = z.object({ receipts: z.array(ReceiptAnswer) });
export type ReceiptsAnswer = z.infer<typeof ReceiptsAnswer>;

/** `POST /control/webhooks/:receipt/replay`, status 202. */
export const ReplayAnswer = z.object({
  /** Ids; none for a delivery that is for nobody now. */
  runs: z.array(z.string()),
  refused: z.array(z.object({ agent: z.string(), reason: z.string() })),
  /** This request was carried out before. */
  duplicate: z.boolean(),
});
export type ReplayAnswer = z.infer<typeof ReplayAnswer>;
