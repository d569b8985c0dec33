import type { Context } from "hono";
import { toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ErrorAnswer } from "./control-schema.ts";

const STATUSES: Readonly<Record<string, 400 | 404 | 409 | 413 | 503>> = {
  "unknown-agent": 404,
  "unknown-run": 404,
  "no-runs": 404,
  "unknown-receipt": 404,
  "agent-disabled": 409,
  paused: 409,
  "queue-full": 409,
  "not-running": 409,
  "over-budget": 409,
  "bad-request": 400,
  "body-too-large": 413,
  "not-serving": 503,
};

/** Turns what a route threw into the API's error answer; what nobody classified is logged and told as 500. */
export function answerError(logger: Logger) {
  return (thrown: Error, context: Context) => {
    const failure = toAlError(thrown);
    const status = STATUSES[failure.code] ?? (failure.blame === "transient" ? 503 : 500);
    if (status === 500) logger.error({ err: failure, path: context.req.path }, "request failed");
    const answer: ErrorAnswer = {
      error: failure.message,
      code: failure.code,
      ...(failure.hint !== undefined && { hint: failure.hint }),
    };
    return context.json(answer, status);
  };
}
