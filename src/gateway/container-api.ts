import { Hono } from "hono";
import { hasCode, toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { type CallPorts, callRoutes } from "./call-routes.ts";
import { authorised, Refusal, readRequest, smallBody } from "./container-request.ts";
import { lockRoutes } from "./lock-routes.ts";
import type {
  LocksPort,
  RunCredentialsPort,
  RuntimePort,
  SchedulePort,
  SignalsPort,
} from "./ports.ts";
import { signalRoutes } from "./signal-routes.ts";

/** What the container API is wired to. */
export interface ContainerApiPorts extends CallPorts {
  readonly runtime: Pick<RuntimePort, "serving">;
  readonly schedule: Pick<SchedulePort, "call" | "kill">;
  readonly credentials: RunCredentialsPort;
  readonly locks: LocksPort;
  readonly signals: SignalsPort;
  readonly logger: Logger;
}

const MAX_REASON_CHARACTERS = 500;

/** The gateway for runs: everything but health is authorised by the run's own secret. */
export function containerApi(ports: ContainerApiPorts): Hono {
  const { runtime, runs, credentials, logger } = ports;
  const app = new Hono();
  app.onError((thrown, context) => {
    if (thrown instanceof Refusal) return context.json({ error: thrown.message }, thrown.status);
    if (hasCode(thrown, "not-serving")) return context.json({ error: thrown.message }, 503);
    // The path of some requests holds a secret: only the method is told.
    logger.error({ err: thrown, method: context.req.method }, "container request failed");
    const passing = toAlError(thrown).blame === "transient";
    const error = passing ? "unavailable at the moment" : "internal error";
    return context.json({ error }, passing ? 503 : 500);
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
  app.route("/locks", lockRoutes(ports));
  app.route("/calls", callRoutes(ports));
  app.route("/signals", signalRoutes(ports));
  shutdownRoute(app, ports);
  return app;
}

function shutdownRoute(app: Hono, { runs, schedule, logger }: ContainerApiPorts): void {
  app.post("/shutdown", smallBody, async (context) => {
    const { run, body } = await readRequest(context, runs);
    const { reason: given } = body;
    const reason = typeof given === "string" ? given.slice(0, MAX_REASON_CHARACTERS) : "";
    logger.info({ run: run.id, agent: run.agent, reason }, "run asks to be shut down");
    const why = `shut down by its agent${reason === "" ? "" : `: ${reason}`}`;
    if (await schedule.kill(run.id, why)) return context.json({ ok: true });
    return context.json({ ok: false, reason: "the container is not running" }, 409);
  });
}
