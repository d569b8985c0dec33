import { Hono } from "hono";
import { z } from "zod";
import { AlError } from "../base/errors.ts";
import { webhookTypes } from "../core/webhook-types.ts";
import { type ReplayPorts, replayDelivery } from "./webhook-replay.ts";

/** A receipt, as the control API shows it. Times are ms since the epoch. */
export const ReceiptAnswer = z.object({
  id: z.string(),
  type: z.enum(webhookTypes),
  sources: z.array(z.string()),
  /** The sender's name for the delivery, or its body's hash. */
  deliveryId: z.string(),
  receivedAt: z.int().nonnegative(),
  headers: z.record(z.string(), z.string()),
});
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

const DEFAULT_RECEIPTS = 20;
const MAX_RECEIPTS = 1000;

/**
 * The operator's side of webhooks, a part of the control API, whose errors it shares.
 * `?limit=` lists more; `?request=` names a replay, so that asking again does not carry it out again.
 */
export function webhookControl(ports: ReplayPorts): Hono {
  const app = new Hono();
  app.get("/control/webhooks", async (context) => {
    const limit = limitOf(context.req.query("limit"));
    const receipts = await ports.receipts.list({ limit });
    return context.json(ReceiptsAnswer.parse({ receipts }));
  });
  app.post("/control/webhooks/:receipt/replay", async (context) => {
    const receipt = context.req.param("receipt");
    const outcome = await replayDelivery(ports, receipt, context.req.query("request"));
    const nothing = { runs: [], refused: [] };
    const answer = { ...nothing, ...outcome, duplicate: outcome.kind === "duplicate" };
    return context.json(ReplayAnswer.parse(answer), 202);
  });
  return app;
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_RECEIPTS;
  if (/^\d{1,15}$/.test(text)) return Math.min(Number(text), MAX_RECEIPTS);
  const message = `limit must be a whole number, not ${JSON.stringify(text)}`;
  throw new AlError(message, { code: "bad-request", blame: "user" });
}
