import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { agentRoutes } from "./agent-routes.ts";
import { answerError } from "./answers.ts";
import { answers, controlApp, limitBodies } from "./control-app.ts";
import type { EventHub } from "./event-hub.ts";
import { eventRoutes } from "./event-routes.ts";
import { logRoutes } from "./log-routes.ts";
import type {
  LocksPort,
  LogsPort,
  RunsPort,
  RuntimeLogPort,
  RuntimePort,
  SchedulePort,
} from "./ports.ts";
import { runtimeRoutes } from "./runtime-routes.ts";
import { statusRoutes } from "./status-routes.ts";
import { createStreamSlots } from "./stream-slots.ts";
import { webhookControl } from "./webhook-control.ts";
import type { ReplayPorts } from "./webhook-replay.ts";

/** What the control API is wired to. */
export interface ControlApiPorts {
  readonly runtime: RuntimePort;
  readonly runs: RunsPort;
  readonly schedule: Omit<SchedulePort, "call">;
  readonly locks: Pick<LocksPort, "list">;
  readonly logs: LogsPort;
  readonly runtimeLog: RuntimeLogPort;
  readonly webhooks: ReplayPorts;
  readonly events: Pick<EventHub, "listen">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How many logs and events may be followed at the same time. */
const MAX_STREAMS = 64;

/** The control API's routes, for a typed client. */
export type ControlApi = ReturnType<typeof controlApi>;

const description = createRoute({
  method: "get",
  path: "/openapi.json",
  summary: "This description",
  responses: answers(200, z.record(z.string(), z.unknown()), { is: "An OpenAPI 3.1 document." }),
});

/** The operator's side; who may reach it is the listener's business. Errors are `ErrorAnswer`. */
export function controlApi(ports: ControlApiPorts) {
  const app = controlApp();
  app.onError(answerError(ports.logger));
  app.notFound(() => {
    throw new AlError("no such route", { code: "no-such-route", blame: "user" });
  });
  app.use(limitBodies);
  app.openAPIRegistry.registerComponent("securitySchemes", "gatewayKey", {
    ...{ type: "http", scheme: "bearer", description: "The credential gateway_api_key." },
  });
  const slots = createStreamSlots(MAX_STREAMS);
  const routed = app
    .route("/", statusRoutes(ports))
    .route("/", runtimeRoutes(ports))
    .route("/", agentRoutes(ports))
    .route("/", webhookControl(ports.webhooks))
    .route("/", logRoutes(ports, slots))
    .route("/", eventRoutes(ports, slots))
    .openapi(description, (context) => context.json(describe(app), 200));
  refuseOtherMethods(routed);
  return routed;
}

function describe(app: OpenAPIHono): Record<string, unknown> {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Action Llama Fleet: control API of a runtime",
      version: "1",
      description: "Times are milliseconds since the epoch. Every error has a code and a hint.",
    },
    // On the control socket nobody is asked for the key.
    security: [{ gatewayKey: [] }, {}],
  });
  return { ...document };
}

/** What is there for another method is not missing. */
function refuseOtherMethods(app: OpenAPIHono): void {
  const methods = new Map<string, string[]>();
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== "route") continue;
    const { path, method } = definition.route;
    methods.set(path, [...(methods.get(path) ?? []), method.toUpperCase()]);
  }
  for (const [path, allowed] of methods) {
    app.all(path.replaceAll(/\{(\w+)\}/g, ":$1"), (context) => {
      context.header("allow", allowed.join(", "));
      throw new AlError(`${path} is for ${allowed.join(", ")}`, {
        ...{ code: "wrong-method", blame: "user" },
      });
    });
  }
}
