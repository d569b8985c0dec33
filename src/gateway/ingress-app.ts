import { type Context, Hono } from "hono";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { CONTROL_PATHS } from "../core/ingress-config.ts";
import { answerError } from "./answers.ts";
import { clientLimit } from "./client-limit.ts";
import type { Answering } from "./listen.ts";

/** What of the gateway is public by the live release. */
export interface PublicPort {
  /** Undefined where nothing is. */
  current(): Promise<
    { readonly control: boolean; readonly trustedProxies: readonly string[] } | undefined
  >;
}

/** What the public listener serves. */
export interface IngressAppPorts {
  /** What the outside listener serves. */
  readonly outside: Answering;
  readonly published: PublicPort;
  /** Of the project's network: see `clientLimit`. */
  readonly networkGateway: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * What comes through the ingress: webhooks, and the rest of the outside listener only where it was asked for.
 * The ingress refuses the rest too; here it does not depend on how a proxy reads a path.
 */
export function ingressApp(ports: IngressAppPorts): Hono {
  const { outside, published, networkGateway, clock, logger } = ports;
  const app = new Hono();
  app.onError(answerError(logger));
  app.notFound((context) => context.json({ error: "no such route", code: "not-found" }, 404));
  const trustedProxies = async () => (await published.current())?.trustedProxies ?? [];
  app.use(clientLimit({ trustedProxies, networkGateway, clock }));
  const pass = ({ req, env }: Context) => outside.fetch(req.raw, env as object);
  app.all("/webhooks/*", pass);
  for (const path of CONTROL_PATHS) {
    app.all(path, async (context) =>
      (await published.current())?.control ? pass(context) : context.notFound(),
    );
  }
  return app;
}
