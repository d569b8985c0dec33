import { createHash } from "node:crypto";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import type { Json } from "../base/canonical-json.ts";
import { boundedRunner, serialByKey } from "../base/concurrency.ts";
import { AlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import type { RunsPort } from "./ports.ts";

/** Longest context of a call and longest return value, in bytes of UTF-8. */
export const MAX_VALUE_BYTES = 2 * 1024 * 1024;

/** JSON may need six bytes for one: a control character becomes `\u0001`. */
const MAX_BODY_BYTES = 6 * MAX_VALUE_BYTES + 64 * 1024;
const MAX_SMALL_BODY_BYTES = 64 * 1024;

/** How many large bodies are in memory at a time; the others wait unread. */
const oneOfFew = boundedRunner(6);
/** Beside those, how many say only in their body whose they are: nobody can be kept from taking these. */
const oneOfTheUnnamed = boundedRunner(2);
const oneOfARun = serialByKey();
const largeLimit = limit(MAX_BODY_BYTES);

/**
 * Bodies of calls and return values. A run that has its secret in a header, or in the query, takes no
 * more than one place at a time: one that sends slowly holds up its own others.
 */
export function largeBody({ runs }: { readonly runs: RunsPort }) {
  return createMiddleware(async (context, next) => {
    const read = () => largeLimit(context, next);
    const secret = elsewhere(context);
    const run = secret && (await runs.bySecret(sha256(secret)));
    if (!run) return oneOfTheUnnamed(read);
    return oneOfARun(run.id, () => oneOfFew(read));
  });
}
/** All other bodies. */
export const smallBody = limit(MAX_SMALL_BODY_BYTES);

/** An answer of the contract, thrown to leave a route early. */
export class Refusal extends AlError {
  readonly status: 400 | 403 | 404 | 413;

  constructor(status: Refusal["status"], message: string) {
    super(message, { code: "refused", blame: "user" });
    this.status = status;
  }
}

/** A body that is a JSON object. */
export type Body = Readonly<Record<string, unknown>>;

/** A request whose secret is a run's. */
export interface RunRequest {
  readonly run: Run;
  readonly body: Body;
}

/** The run behind a POST, and what it says. @throws Refusal 400 or 403. */
export async function readRequest(context: Context, runs: RunsPort): Promise<RunRequest> {
  const body: unknown = await context.req.json().catch(() => undefined);
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    throw new Refusal(400, "invalid JSON body");
  }
  const { secret } = body as Body;
  return { run: await authorised(runs, secret ?? elsewhere(context)), body: body as Body };
}

/** The run behind a GET. @throws Refusal 400 or 403. */
export function readRun(context: Context, runs: RunsPort): Promise<Run> {
  return authorised(runs, elsewhere(context));
}

/**
 * The unfinished run of a secret, looked up by the secret's hash: how long that takes says nothing about
 * the secret.
 * @throws Refusal 400 or 403.
 */
export async function authorised(runs: RunsPort, secret: unknown): Promise<Run> {
  if (secret === undefined || secret === null || secret === "") {
    throw new Refusal(400, "missing secret");
  }
  const run = await runs.bySecret(sha256(textOf(secret)));
  if (!run) throw new Refusal(403, "invalid secret");
  return run;
}

/** A field that must be text with something in it. @throws Refusal 400. */
export function textField(body: Body, name: string, maxCharacters: number): string {
  const value = body[name];
  if (value === undefined || value === null || value === "") {
    throw new Refusal(400, `missing ${name}`);
  }
  if (typeof value !== "string") throw new Refusal(400, `${name} must be a string`);
  if (value.length <= maxCharacters) return value;
  throw new Refusal(400, `${name} is longer than ${maxCharacters} characters`);
}

/** A field that may be any JSON, up to {@link MAX_VALUE_BYTES}. @throws Refusal 400 or 413. */
export function valueField(body: Body, name: string): Json {
  const value = body[name] as Json | undefined;
  if (value === undefined) throw new Refusal(400, `missing ${name}`);
  if (Buffer.byteLength(textOf(value)) <= MAX_VALUE_BYTES) return value;
  throw new Refusal(413, `${name} is larger than ${MAX_VALUE_BYTES} bytes`);
}

function textOf(value: unknown): string {
  const text = typeof value === "string" ? value : written(value);
  if (text === undefined) throw new Refusal(400, "invalid JSON body");
  return text;
}

/** Undefined for what could be read, but is nested too deeply to be written again. */
function written(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A query parameter or a bearer token. */
function elsewhere(context: Context): string | undefined {
  const bearer = /^Bearer +(.+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
  return bearer ?? context.req.query("secret");
}

function limit(maxSize: number) {
  const error = `the body is larger than ${maxSize} bytes`;
  return bodyLimit({ maxSize, onError: (context) => context.json({ error }, 413) });
}
