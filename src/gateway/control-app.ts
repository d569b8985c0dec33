import { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler, ValidationTargets } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { AlError } from "../base/errors.ts";
import { MAX_CONTEXT_BYTES } from "../core/trigger.ts";
import type { ErrorStatus } from "./answers.ts";
import { ErrorAnswer } from "./control-schema.ts";

/** Room for what goes around a context, and for one that its JSON writes a little longer. */
const SMALL_BYTES = 64 * 1024;

const MEANINGS: Readonly<Record<ErrorStatus, string>> = {
  400: "The request is not as described here; the error names the field.",
  401: "The gateway's key is missing or wrong, or this host has none.",
  404: "There is no such agent, run, receipt or route.",
  405: "The route is for another method.",
  409: "It cannot be done as things are; the error says why.",
  413: "The body is too large.",
  415: "The body is not said to be JSON.",
  429: "Too many attempts with a wrong key.",
  500: "A fault of the runtime, told in its log.",
  503: "Not now: the runtime is being replaced, or has too much to do.",
};

/** An app with routes of the control API, or all of them: what is not as described is thrown. */
export function controlApp(): OpenAPIHono {
  return new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw invalid(result.target, result.error);
    },
  });
}

/** The answers of a route: the one it is for, the errors of every route, and `also` these. */
export function answers<const S extends 200 | 202, T extends z.ZodType>(
  status: S,
  schema: T,
  { is: description, also = [] }: { readonly is: string; readonly also?: readonly ErrorStatus[] },
) {
  const good = { description, content: { "application/json": { schema } } };
  return { ...errorAnswers(also), [status]: good } as Record<S, typeof good> & Errors;
}

/** The answers of a route that goes on writing: one `schema` after the other. */
export function streamed(
  type: string,
  schema: z.ZodType,
  { is: description, also = [] }: { readonly is: string; readonly also?: readonly ErrorStatus[] },
) {
  return { ...errorAnswers(also), 200: { description, content: { [type]: { schema } } } };
}

/** A JSON body; without `required` it may be left out. */
export function jsonBody<T extends z.ZodType>(schema: T) {
  return { required: false as const, content: { "application/json": { schema } } };
}

/** A whole number in a query. */
export const count = z
  .string()
  .regex(/^\d{1,15}$/, "must be a whole number")
  .transform(Number)
  .meta({ type: "integer", minimum: 0 });

/** A yes in a query: `1` or `true`; anything else is a no. */
export const flag = z
  .string()
  .transform((text) => text === "1" || text === "true")
  .meta({ type: "string", description: "1 or true for yes" });

/** Refuses bodies that are longer than any request needs. @throws AlError `body-too-large`. */
export const limitBodies: MiddlewareHandler = (context, next) =>
  (context.req.path.startsWith("/control/trigger/") ? triggerLimit : smallLimit)(context, next);

const smallLimit = limit(SMALL_BYTES, "the body is larger than 64 KiB");
const triggerLimit = limit(
  MAX_CONTEXT_BYTES + SMALL_BYTES,
  "a run's context may have at most 10 MB",
);

function limit(maxSize: number, message: string): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw new AlError(message, { code: "body-too-large", blame: "user" });
    },
  });
}

/** Errors of every route. */
const ANYWHERE: readonly ErrorStatus[] = [400, 401, 405, 429, 500, 503];

type Errors = Record<
  ErrorStatus,
  { description: string; content: { "application/json": { schema: typeof ErrorAnswer } } }
>;

function errorAnswers(also: readonly ErrorStatus[]): Errors {
  const answer = (status: ErrorStatus) => ({
    description: MEANINGS[status],
    content: { "application/json": { schema: ErrorAnswer } },
  });
  const statuses = [...ANYWHERE, ...also];
  return Object.fromEntries(statuses.map((status) => [status, answer(status)])) as Errors;
}

function invalid(target: keyof ValidationTargets, error: z.ZodError): AlError {
  const where = target === "json" ? "body" : target;
  const problems = error.issues.map(({ path, message }) => {
    const field = path.join(".");
    return `${where}${field === "" ? "" : ` field ${field}`}: ${message}`;
  });
  return new AlError(problems.join("; "), { code: "bad-request", blame: "user" });
}
