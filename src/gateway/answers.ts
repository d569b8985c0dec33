import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { AlError, toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ErrorAnswer } from "./control-schema.ts";

/** Statuses of error answers. */
export type ErrorStatus = 400 | 401 | 404 | 405 | 409 | 413 | 415 | 429 | 500 | 503;

const DESCRIPTION_HINT = "What there is, and what it takes, is described by GET /openapi.json.";
const LOG_HINT = "The runtime's own log says more: al logs --scheduler";

/** By an error's code: the status, and what to do where the error itself does not say it. */
const KNOWN: Readonly<Record<string, { readonly status: ErrorStatus; readonly hint: string }>> = {
  "unknown-agent": { status: 404, hint: "List the agents: al status" },
  "unknown-run": { status: 404, hint: "List the runs: al runs" },
  "no-runs": { status: 404, hint: "Start one: al run" },
  "unknown-receipt": { status: 404, hint: "List what is kept: al webhook ls" },
  "no-such-route": { status: 404, hint: DESCRIPTION_HINT },
  "agent-disabled": { status: 409, hint: "See why: al status" },
  paused: { status: 409, hint: "Let it start again: al resume" },
  "queue-full": { status: 409, hint: "See what waits, and for what: al queue" },
  "not-running": { status: 409, hint: "See how it ended: al runs" },
  "over-budget": { status: 409, hint: "See what was used: al status" },
  "bad-request": { status: 400, hint: DESCRIPTION_HINT },
  "no-gateway-key": { status: 401, hint: "Give the gateway a key." },
  "no-key": { status: 401, hint: "Send the gateway's key." },
  "wrong-key": { status: 401, hint: "Send the gateway's key." },
  "too-many-attempts": { status: 429, hint: "Wait a minute, or ask through SSH: al status" },
  "too-many-refused": { status: 429, hint: "Wait a minute, and mend what was refused." },
  "too-many-under-way": { status: 429, hint: "Wait for the answers of some." },
  "wrong-method": { status: 405, hint: DESCRIPTION_HINT },
  "wrong-content-type": { status: 415, hint: "Send it as application/json." },
  "body-too-large": { status: 413, hint: "Send less." },
  "too-many-streams": { status: 503, hint: "End one that is followed, or wait for it to end." },
  "not-serving": { status: 503, hint: "The runtime is being replaced: try again in a moment." },
};

/** Turns what a route threw into the API's error answer; what nobody foresaw is logged and told as 500. */
export function answerError(logger: Logger) {
  return (thrown: Error, context: Context) => {
    const failure = classified(thrown);
    const { status, hint } = KNOWN[failure.code] ?? unforeseen(failure);
    if (status === 500) logger.error({ err: failure, path: context.req.path }, "request failed");
    const { message: error, code } = failure;
    const answer = { error, code, hint: failure.hint ?? hint } satisfies ErrorAnswer;
    return context.json(answer, status);
  };
}

/** What the libraries that read a request throw is ours to name. */
function classified(thrown: Error): AlError {
  if (!(thrown instanceof HTTPException)) return toAlError(thrown);
  const cause = thrown;
  if (thrown.status === 415) {
    const message = "a body must be JSON, and say so";
    return new AlError(message, { code: "wrong-content-type", blame: "user", cause });
  }
  const message = thrown.status === 400 ? "the body cannot be read as JSON" : thrown.message;
  return new AlError(message, { code: "bad-request", blame: "user", cause });
}

function unforeseen({ blame }: AlError): { status: ErrorStatus; hint: string } {
  if (blame === "transient") return { status: 503, hint: "Try again in a moment." };
  return blame === "user"
    ? { status: 400, hint: DESCRIPTION_HINT }
    : { status: 500, hint: LOG_HINT };
}
