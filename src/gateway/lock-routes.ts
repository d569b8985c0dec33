import { type Context, Hono } from "hono";
import { assertNever } from "../base/assert-never.ts";
import type { AcquireAnswer, ListedLock, LockOptions, NotHeld, RunLock } from "../core/run-lock.ts";
import {
  type Body,
  Refusal,
  readRequest,
  readRun,
  smallBody,
  textField,
} from "./container-request.ts";
import type { LocksPort, RunsPort } from "./ports.ts";

const MAX_KEY_CHARACTERS = 1000;
const MAX_TTL_SECONDS = 7 * 24 * 3600;
const MAX_WAIT_SECONDS = 300;

/** `/locks`: what keeps parallel runs off the same thing. */
export function lockRoutes({ runs, locks }: { runs: RunsPort; locks: LocksPort }): Hono {
  const app = new Hono();
  app.post("/acquire", smallBody, async (context) => {
    const { run, body } = await readRequest(context, runs);
    const { signal } = context.req.raw;
    const options = { ...optionsOf(body), signal };
    const answer = await locks.acquire(run, keyOf(body), options);
    return acquired(context, answer, keyOf(body));
  });
  app.post("/release", smallBody, async (context) => {
    const { run, body } = await readRequest(context, runs);
    const answer = await locks.release(run, keyOf(body));
    if (answer.kind === "released") return context.json({ ok: true });
    return context.json({ ok: false, reason: whyNot(answer) }, answer.kind === "taken" ? 409 : 404);
  });
  app.post("/heartbeat", smallBody, async (context) => {
    const { run, body } = await readRequest(context, runs);
    const answer = await locks.heartbeat(run, keyOf(body), ttlOf(body));
    if (answer.kind === "held") return context.json({ ok: true, expiresAt: answer.expiresAt });
    return context.json({ ok: false, reason: whyNot(answer) }, answer.kind === "taken" ? 409 : 404);
  });
  app.get("/list", async (context) => {
    await readRun(context, runs);
    return context.json({ locks: (await locks.list()).map(shown) });
  });
  return app;
}

function acquired(context: Context, answer: AcquireAnswer, resourceKey: string): Response {
  switch (answer.kind) {
    case "held":
      return context.json({ ok: true, resourceKey });
    case "taken": {
      const { heldSince } = answer.lock;
      return context.json({ ok: false, holder: holderOf(answer.lock), heldSince }, 409);
    }
    case "holds-another": {
      const reason = `this run holds the lock ${answer.resourceKey} already, and may hold only one`;
      return context.json({ ok: false, reason }, 409);
    }
    case "ended":
      throw new Refusal(403, "invalid secret");
    default:
      return assertNever(answer);
  }
}

function shown({ resourceKey, heldSince, expiresAt, waiting, ...lock }: ListedLock) {
  return { resourceKey, holder: holderOf(lock), heldSince, expiresAt, waiting };
}

function keyOf(body: Body): string {
  return textField(body, "resourceKey", MAX_KEY_CHARACTERS);
}

function optionsOf(body: Body): Pick<LockOptions, "ttlSeconds" | "waitSeconds"> {
  const ttlSeconds = ttlOf(body);
  const waitSeconds = secondsField(body, "wait", {
    isFit: (wait) => wait >= 0 && wait <= MAX_WAIT_SECONDS,
    words: `from 0 to ${MAX_WAIT_SECONDS}`,
  });
  return {
    ...(ttlSeconds !== undefined && { ttlSeconds }),
    ...(waitSeconds !== undefined && { waitSeconds }),
  };
}

/** Undefined for the project's own. */
function ttlOf(body: Body): number | undefined {
  return secondsField(body, "ttl", {
    isFit: (ttl) => ttl > 0 && ttl <= MAX_TTL_SECONDS,
    words: `more than 0 and at most ${MAX_TTL_SECONDS}`,
  });
}

function secondsField(
  body: Body,
  name: string,
  { isFit, words }: { readonly isFit: (seconds: number) => boolean; readonly words: string },
): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && isFit(value)) return value;
  throw new Refusal(400, `${name} must be a number of seconds, ${words}`);
}

function holderOf({ agent, run }: Pick<RunLock, "agent" | "run">): string {
  return `${agent}/${run}`;
}

function whyNot(answer: NotHeld): string {
  return answer.kind === "free"
    ? "this run does not hold the lock: it was never taken, was given back or has expired"
    : `the lock is held by ${holderOf(answer.lock)}`;
}
