import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import type { ControlApiPorts } from "./control-api.ts";
import { controlApp, streamed } from "./control-app.ts";
import type { EventListener, NumberedEvent } from "./event-hub.ts";
import { RuntimeEvent } from "./event-schema.ts";
import type { StreamSlots } from "./stream-slots.ts";
import { textStream } from "./text-stream.ts";

const EVENT_STREAM: string = "text/event-stream";
/** Shorter than anything on the way keeps a silent connection. */
const BEAT_MS = 15_000;
const RETRY_MS = 2000;

const events = createRoute({
  method: "get",
  path: "/control/events",
  summary: "What happens, as it happens: server-sent events",
  request: {
    headers: z.object({
      "last-event-id": z
        .string()
        .regex(/^\d{1,16}$/, "must be the id of an event")
        .transform(Number)
        .meta({ type: "integer", description: "Begins with what came after this event." })
        .optional(),
    }),
  },
  responses: streamed(EVENT_STREAM, RuntimeEvent, {
    is: "Each event's name is its kind, its data is JSON as described. Comments keep the connection.",
  }),
});

/** Live events. Who takes them too slowly is cut off, and may come again with the last id. */
export function eventRoutes(ports: ControlApiPorts, slots: StreamSlots) {
  return controlApp().openapi(events, (context) => {
    const after = context.req.valid("header")["last-event-id"];
    const onEnd = slots.take();
    const listen = () => ports.events.listen({ after, onLost: () => cutOff(context) });
    const open = (signal: AbortSignal) => frames(listen, signal);
    return textStream(context.req.raw, open, { type: EVENT_STREAM, onEnd });
  });
}

/** It listens while it is read. */
async function* frames(listen: () => EventListener, signal: AbortSignal): AsyncGenerator<string> {
  const listener = listen();
  try {
    yield `retry: ${RETRY_MS}\n\n`;
    while (!signal.aborted) {
      const event = await listener.next(BEAT_MS, signal);
      if (event === "lost") return;
      yield event === "none" ? ":\n\n" : frame(event);
    }
  } finally {
    listener.close();
  }
}

function frame({ id, event }: NumberedEvent): string {
  return `event: ${event.kind}\nid: ${id}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Whoever does not read does not notice the end of an answer either. */
function cutOff({ env }: Context): void {
  (env as { readonly outgoing?: { destroy(): void } } | undefined)?.outgoing?.destroy();
}
