import { Hono } from "hono";
import {
  type Body,
  Refusal,
  readRequest,
  readRun,
  smallBody,
  textField,
} from "./container-request.ts";
import type { LocksPort, LockView, RunsPort } from "./ports.ts";

const MAX_KEY_CHARACTERS = 1000;
const MAX_TTL_SECONDS = 7 * 24 * 3600;

/** `/locks`: what keeps parallel runs off the same thing. */
export function lockRoutes({ runs, locks }: { runs: RunsPort; locks: LocksPort }): Hono {
  const app = new Hono();
  app.post("/acquire", smallBody, async (context) => {
    const { run, body } = await readRequest(context, runs);
    const resourceKey = keyOf(body);
    const answer = await locks.acquire(run, resourceKey, ttlOf(body));
    if (answer.kind === "held") return context.json({ ok: true, resourceKey });
    if (answer.kind === "taken") {
      const { heldSince } = answer.lock;
      return context.json({ ok: false, holder: holderOf(answer.lock), heldSince }, 409);
    }
    const reason = `this run holds the lock ${answer.resourceKey} already, and may hold only one`;
    return context.json({ ok: false, reason }, 409);
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

function shown({ resourceKey, heldSince, expiresAt, ...lock }: LockView) {
  return { resourceKey, holder: holderOf(lock), heldSince, expiresAt };
}

function keyOf(body: Body): string {
  return textField(body, "resourceKey", MAX_KEY_CHARACTERS);
}

/** Seconds; undefined for the project's own. */
function ttlOf({ ttl }: Body): number | undefined {
  if (ttl === undefined || ttl === null) return undefined;
  if (typeof ttl === "number" && ttl > 0 && ttl <= MAX_TTL_SECONDS) return ttl;
  throw new Refusal(
    400,
    `ttl must be a number of seconds, more than 0 and at most ${MAX_TTL_SECONDS}`,
  );
}

function holderOf({ agent, run }: Pick<LockView, "agent" | "run">): string {
  return `${agent}/${run}`;
}

function whyNot(answer: { kind: "free" } | { kind: "taken"; lock: LockView }): string {
  return answer.kind === "free"
    ? "this run does not hold the lock: it was never taken, was given back or has expired"
    : `the lock is held by ${holderOf(answer.lock)}`;
}
