import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { answers, controlApp, count } from "./control-app.ts";
import { ReceiptsAnswer, ReplayAnswer } from "./receipt-schema.ts";
import { type ReplayPorts, replayDelivery } from "./webhook-replay.ts";

const DEFAULT_RECEIPTS = 20;
const MAX_RECEIPTS = 1000;

const list = createRoute({
  method: "get",
  path: "/control/webhooks",
  summary: "Deliveries that were let in, the newest first",
  request: { query: z.object({ limit: count.optional() }) },
  responses: answers(200, ReceiptsAnswer, {
    is: `At most \`limit\`: ${DEFAULT_RECEIPTS} unless told.`,
  }),
});

const replay = createRoute({
  method: "post",
  path: "/control/webhooks/{receipt}/replay",
  summary: "Accepts a stored delivery again, as a new one",
  request: {
    params: z.object({ receipt: z.string() }),
    query: z.object({
      request: z.string().optional().meta({
        description:
          "Names the replay: asking again with the same name does not carry it out again.",
      }),
    }),
  },
  responses: answers(202, ReplayAnswer, {
    is: "The runs it made; none for a delivery that is for nobody.",
    also: [404],
  }),
});

/** The operator's side of webhooks. */
export function webhookControl(ports: ReplayPorts) {
  return controlApp()
    .openapi(list, async (context) => {
      const { limit = DEFAULT_RECEIPTS } = context.req.valid("query");
      const receipts = await ports.receipts.list({ limit: Math.min(limit, MAX_RECEIPTS) });
      return context.json(ReceiptsAnswer.parse({ receipts }), 200);
    })
    .openapi(replay, async (context) => {
      const { receipt } = context.req.valid("param");
      const { request } = context.req.valid("query");
      const outcome = await replayDelivery(ports, receipt, request);
      const nothing = { runs: [], refused: [] };
      const answer = { ...nothing, ...outcome, duplicate: outcome.kind === "duplicate" };
      return context.json(ReplayAnswer.parse(answer), 202);
    });
}
