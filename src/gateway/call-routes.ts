import { type Context, Hono } from "hono";
import { toAlError } from "../base/errors.ts";
import {
  largeBody,
  Refusal,
  type RunRequest,
  readRequest,
  readRun,
  textField,
  valueField,
} from "./container-request.ts";
import type { CallsPort, RunsPort, SchedulePort } from "./ports.ts";

/** What calls are wired to. */
export interface CallPorts {
  readonly runs: RunsPort;
  readonly schedule: Pick<SchedulePort, "call">;
  readonly calls: CallsPort;
}

const MAX_NAME_CHARACTERS = 200;

/** `/calls`: one agent has another do something, and waits for the answer. */
export function callRoutes(ports: CallPorts): Hono {
  const app = new Hono();
  app.post("/", largeBody(ports), async (context) => {
    const request = await readRequest(context, ports.runs);
    return callAgent(context, ports, request, (callId) => ({ ok: true, callId }));
  });
  app.get("/:id", async (context) => {
    const run = await readRun(context, ports.runs);
    const call = await ports.calls.look(run, context.req.param("id"));
    if (!call) throw new Refusal(404, "call not found");
    return context.json(call);
  });
  return app;
}

/** Accepts a call, or answers 409 with the reason why not. @throws Refusal 400 or 413. */
export async function callAgent(
  context: Context,
  { schedule }: Pick<CallPorts, "schedule">,
  { run, body }: RunRequest,
  accepted: (callId: string) => object,
): Promise<Response> {
  const request = {
    target: textField(body, "targetAgent", MAX_NAME_CHARACTERS),
    context: valueField(body, "context"),
    ...("requestId" in body && { requestId: textField(body, "requestId", MAX_NAME_CHARACTERS) }),
  };
  try {
    const { id } = await schedule.call(run, request);
    return context.json(accepted(id));
  } catch (thrown) {
    const { code, blame, message } = toAlError(thrown);
    if (blame !== "user" && code !== "queue-full") throw thrown;
    return context.json({ ok: false, reason: message }, 409);
  }
}
