import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import type { ControlApiPorts } from "./control-api.ts";
import { controlApp, count, flag, streamed } from "./control-app.ts";
import { LogEvent, RuntimeLogEvent } from "./control-schema.ts";
import { runOf } from "./known-run.ts";
import { logEvents } from "./log-events.ts";
import { NDJSON, ndjson } from "./ndjson.ts";
import { runtimeLogLines } from "./runtime-log-lines.ts";
import type { StreamSlots } from "./stream-slots.ts";

const query = z.object({
  follow: flag.optional(),
  lines: count.optional(),
  cursor: count.optional(),
  since: count.optional(),
});
const responses = streamed(NDJSON, LogEvent, {
  is: "One event per line; `end` last, once the run is over.",
  also: [404],
});

const latest = createRoute({
  method: "get",
  path: "/api/logs/agents/{agent}",
  summary: "What the latest run of an agent wrote",
  request: { params: z.object({ agent: z.string() }), query },
  responses,
});

const one = createRoute({
  method: "get",
  path: "/api/logs/agents/{agent}/{run}",
  summary: "What a run wrote",
  request: { params: z.object({ agent: z.string(), run: z.string() }), query },
  responses,
});

const ofRuntime = createRoute({
  method: "get",
  path: "/api/logs/scheduler",
  summary: "What the runtime itself says",
  request: {
    query: z.object({
      ...{ follow: flag.optional(), lines: count.optional(), cursor: count.optional() },
      ...{ after: count.optional(), before: count.optional() },
    }),
  },
  responses: streamed(NDJSON, RuntimeLogEvent, {
    is: "A line each, the oldest first; the last `lines` of those from `after` to `before` (ms).",
  }),
});

/** What runs and the runtime itself wrote, as it was or as it comes. */
export function logRoutes(ports: ControlApiPorts, slots: StreamSlots) {
  type Query = z.infer<typeof query>;
  const serve = async (request: Request, of: { agent: string; run?: string }, asked: Query) => {
    const run = await runOf(ports.runs, of.agent, of.run);
    const { follow = false, lines, cursor, since } = asked;
    const options = { follow, lines, cursor, since };
    const onEnd = follow ? slots.take() : undefined;
    const open = (signal: AbortSignal) => logEvents(ports, run, { ...options, signal });
    return ndjson(request, open, onEnd && { onEnd });
  };
  return controlApp()
    .openapi(latest, ({ req }) => serve(req.raw, req.valid("param"), req.valid("query")))
    .openapi(ofRuntime, ({ req }) => {
      const { follow = false, lines, cursor = 0, after, before } = req.valid("query");
      const onEnd = follow ? slots.take() : undefined;
      const open = (signal: AbortSignal) =>
        runtimeLogLines(ports, { follow, lines, cursor, after, before, signal });
      return ndjson(req.raw, open, onEnd && { onEnd });
    })
    .openapi(one, ({ req }) => serve(req.raw, req.valid("param"), req.valid("query")));
}
