import { createHash } from "node:crypto";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { AlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Run } from "../core/run.ts";
import type { RunCredentialsPort, RunsPort, RuntimePort, SchedulePort } from "./ports.ts";

/** What the container API is wired to. */
export interface ContainerApiPorts {
  readonly runtime: RuntimePort;
  readonly runs: RunsPort;
  readonly schedule: SchedulePort;
  readonly credentials: RunCredentialsPort;
  readonly logger: Logger;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** The gateway for runs: everything but health is authorised by the run's own secret. */
export function containerApi(ports: ContainerApiPorts): Hono {
  const { runtime, runs, schedule, credentials, logger } = ports;
  const app = new Hono();
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (context) => context.json({ error: "body too large" }, 413),
    }),
  );
  app.onError((thrown, context) => {
    if (thrown instanceof Refusal) return context.json({ error: thrown.message }, thrown.status);
    // The path of some requests holds a secret: only the method is told.
    logger.error({ err: thrown, method: context.req.method }, "container request failed");
    return context.json({ error: "internal error" }, 500);
  });
  app.notFound((context) => context.json({ error: "not found" }, 404));

  app.get("/health", async (context) =>
    (await runtime.serving())
      ? context.json({ status: "ok" })
      : context.json({ status: "unavailable" }, 503),
  );
  app.get("/credentials/:secret", async (context) => {
    const run = await authorised(runs, context.req.param("secret"));
    return context.json(await credentials.read(run));
  });
  app.post("/shutdown", async (context) => {
    const body = await jsonBody(context);
    const run = await authorised(runs, secretOf(context, body));
    const reason = typeof body.reason === "string" ? body.reason.slice(0, 500) : undefined;
    logger.info({ run: run.id, agent: run.agent, reason }, "run asks to be shut down");
    if (await schedule.kill(run.id)) return context.json({ ok: true });
    return context.json({ ok: false, reason: "the container is not running" }, 409);
  });
  return app;
}

/** An answer of the contract, thrown to leave a route early. */
class Refusal extends AlError {
  readonly status: 400 | 403;

  constructor(status: 400 | 403, message: string) {
    super(message, { code: "refused", blame: "user" });
    this.status = status;
  }
}

type Body = Readonly<Record<string, unknown>>;

async function jsonBody(context: Context): Promise<Body> {
  const body: unknown = await context.req.json().catch(() => undefined);
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    throw new Refusal(400, "invalid JSON body");
  }
  return body as Body;
}

function secretOf(context: Context, body: Body): string {
  const bearer = /^Bearer +(.+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
  const secret = body.secret ?? bearer;
  if (secret === undefined) throw new Refusal(400, "missing secret");
  return String(secret);
}

/** Looked up by hash: how long that takes says nothing about the secret. */
async function authorised(runs: RunsPort, secret: string): Promise<Run> {
  const run = await runs.bySecret(createHash("sha256").update(secret).digest("hex"));
  if (!run) throw new Refusal(403, "invalid secret");
  return run;
}
