import { type Context, Hono } from "hono";
import { MAX_STATUS_CHARACTERS } from "../core/run.ts";
import { type CallPorts, callAgent } from "./call-routes.ts";
import {
  largeBody,
  Refusal,
  readRequest,
  smallBody,
  textField,
  valueField,
} from "./container-request.ts";
import type { SignalsPort } from "./ports.ts";

/** `/signals`: what a run says of itself. */
export function signalRoutes(
  ports: Pick<CallPorts, "runs" | "schedule"> & { readonly signals: SignalsPort },
): Hono {
  const { runs, signals } = ports;
  const app = new Hono();
  app.post("/rerun", smallBody, async (context) => {
    const { run } = await readRequest(context, runs);
    return done(context, await signals.askRerun(run.id));
  });
  app.post("/status", smallBody, async (context) => {
    const { run, body } = await readRequest(context, runs);
    const text = textField(body, "text", MAX_STATUS_CHARACTERS);
    return done(context, await signals.setStatus(run.id, text));
  });
  app.post("/return", largeBody(ports), async (context) => {
    const { run, body } = await readRequest(context, runs);
    return done(context, await signals.setReturnValue(run.id, valueField(body, "value")));
  });
  app.post("/trigger", largeBody(ports), async (context) => {
    const request = await readRequest(context, runs);
    return callAgent(context, ports, request, () => ({ ok: true }));
  });
  return app;
}

/** A run that has ended meanwhile has no valid secret any more. */
function done(context: Context, stored: boolean): Response {
  if (!stored) throw new Refusal(403, "invalid secret");
  return context.json({ ok: true });
}
