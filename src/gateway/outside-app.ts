import { Hono } from "hono";
import { CONTROL_PATHS } from "../core/ingress-config.ts";
import { answerError } from "./answers.ts";
import { type KeyGuardPorts, keyGuard } from "./key-guard.ts";
import type { Answering } from "./listen.ts";

/** What the outside listener serves. */
export interface OutsideAppPorts extends KeyGuardPorts {
  readonly webhooks: Answering;
  /** The control API, as the control socket has it. */
  readonly control: Answering;
}

/** Webhooks for everybody, and the control API for who has the gateway's key. */
export function outsideApp(ports: OutsideAppPorts): Hono {
  const { webhooks, control } = ports;
  const app = new Hono();
  app.onError(answerError(ports.logger));
  const guard = keyGuard(ports);
  for (const path of CONTROL_PATHS) {
    app.use(path, guard);
    app.all(path, ({ req, env }) => control.fetch(req.raw, env as object));
  }
  app.all("*", ({ req, env }) => webhooks.fetch(req.raw, env as object));
  return app;
}
