import type { Context } from "hono";
import { toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { DeliveryOutcome } from "../core/webhook-outcome.ts";
import { webhookTypes } from "../core/webhook-types.ts";
import type { ErrorAnswer } from "./control-schema.ts";
import type { RateLimits } from "./webhook-rate.ts";
import { WebhookRefusal } from "./webhook-refusal.ts";

/** The answer to a delivery that was let in: how many listening agents got a run, and how many did not. */
export interface DeliveryAnswer {
  readonly ok: true;
  readonly matched: number;
  readonly skipped: number;
  /** It was accepted before, and starts nothing again. */
  readonly duplicate?: true;
}

/** How many refused deliveries a minute are told of in the log: anybody can send them. */
const TOLD_PER_MINUTE = 10;
const FULL_QUEUE_SECONDS = 60;
const NOT_ACCEPTED_SECONDS = 10;

/**
 * What a sender is told of its delivery; `skipped` agents listen to its source for something else.
 * @throws WebhookRefusal 503 when no agent it is for could take it.
 */
export function answerOutcome(
  outcome: DeliveryOutcome,
  skipped: number,
  logger: Logger,
): DeliveryAnswer {
  if (outcome.kind === "duplicate") {
    logger.info({}, "duplicate delivery");
    return { ok: true, matched: 0, skipped, duplicate: true };
  }
  for (const { agent, reason } of outcome.refused) {
    logger.warn({ agent, reason }, "delivery starts no run of an agent it is for");
  }
  if (outcome.kind === "refused") {
    throw new WebhookRefusal(503, "no agent that it is for can take another run now", {
      ...{ code: "queue-full", retryAfterSeconds: FULL_QUEUE_SECONDS },
    });
  }
  logger.info({ runs: outcome.runs }, "delivery accepted");
  return { ok: true, matched: outcome.runs.length, skipped: skipped + outcome.refused.length };
}

/** Turns what was thrown on a delivery's way into the error answer, and tells the log, but not of each. */
export function answerRefusal(
  { logger, limits }: { readonly logger: Logger; readonly limits: RateLimits },
  thrown: Error,
  context: Context,
): Response {
  const refusal = thrown instanceof WebhookRefusal ? thrown : unforeseen(thrown);
  const { status, message, code, hint, retryAfterSeconds } = refusal;
  if (limits.take("log", TOLD_PER_MINUTE) === 0) {
    const type = webhookTypes.find((each) => each === context.req.param("type"));
    if (refusal === thrown)
      logger.warn({ type, status, code, reason: message }, "delivery refused");
    else logger.error({ type, err: toAlError(thrown) }, "delivery could not be accepted");
  }
  if (retryAfterSeconds !== undefined) context.header("retry-after", String(retryAfterSeconds));
  if (status === 405) context.header("allow", "POST");
  const answer: ErrorAnswer = { error: message, code, ...(hint !== undefined && { hint }) };
  return context.json(answer, status);
}

/** What fails in here may work later: a sender who is told so sends it again, and is told no more. */
function unforeseen(cause: Error): WebhookRefusal {
  return new WebhookRefusal(503, "the delivery cannot be accepted at the moment", {
    ...{ code: "not-accepted", retryAfterSeconds: NOT_ACCEPTED_SECONDS, cause },
  });
}
