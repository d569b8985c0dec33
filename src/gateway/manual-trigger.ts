import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { AlError } from "../base/errors.ts";
import { MAX_CONTEXT_BYTES, type Trigger } from "../core/trigger.ts";
import { TriggerRequest } from "./control-schema.ts";

/** Room for what goes around a context, and for one that its JSON writes a little longer. */
const AROUND_BYTES = 64 * 1024;

/** Refuses a trigger's body that is longer than a context may be. */
export const limitBody = bodyLimit({
  maxSize: MAX_CONTEXT_BYTES + AROUND_BYTES,
  onError: () => {
    throw new AlError("a run's context may have at most 10 MB", {
      code: "body-too-large",
      blame: "user",
    });
  },
});

/**
 * The trigger that a request by hand asks for: a webhook's where it brings a context.
 * @throws AlError `bad-request` (user).
 */
export async function readTrigger(context: Context): Promise<Trigger> {
  const { by, context: given } = parseRequest(await context.req.text());
  const who = by === undefined ? {} : { by };
  if (given === undefined) return { kind: "manual", ...who };
  const { source = "manual", ...rest } = given;
  if (typeof source === "string") return { kind: "webhook", source, context: rest, ...who };
  throw badRequest("the context's `source` must be text: github, sentry, linear or mintlify");
}

function parseRequest(text: string): TriggerRequest {
  if (text === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
    // What cannot be written again, because it is nested too deeply, cannot be kept either.
    JSON.stringify(value);
  } catch (thrown) {
    throw badRequest(`the body cannot be read as JSON: ${(thrown as Error).message.slice(0, 200)}`);
  }
  const parsed = TriggerRequest.safeParse(value);
  if (parsed.success) return parsed.data;
  throw badRequest(z.prettifyError(parsed.error));
}

function badRequest(message: string): AlError {
  return new AlError(message, { code: "bad-request", blame: "user" });
}
