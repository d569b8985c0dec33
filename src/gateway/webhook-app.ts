import { type Context, Hono } from "hono";
import { monotonicFactory } from "ulid";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { authenticate, type WebhookSource } from "../core/webhook-authenticate.ts";
import { type RawDelivery, readDelivery } from "../core/webhook-delivery.ts";
import { matchListeners } from "../core/webhook-filter.ts";
import { receiptOf } from "../core/webhook-receipt.ts";
import { webhookTypes } from "../core/webhook-types.ts";
import { answerOutcome, answerRefusal, type DeliveryAnswer } from "./webhook-answers.ts";
import { createBodyReader } from "./webhook-body.ts";
import type { DeliveriesPort, LiveWebhooks, WebhooksPort } from "./webhook-ports.ts";
import { createRateLimits, type RateLimits } from "./webhook-rate.ts";
import { WebhookRefusal } from "./webhook-refusal.ts";

/** What the webhooks are wired to. */
export interface WebhookAppPorts {
  readonly webhooks: WebhooksPort;
  readonly deliveries: DeliveriesPort;
  readonly clock: Clock;
  readonly logger: Logger;
}

const NOT_SERVING_SECONDS = 10;

/**
 * `POST /webhooks/:type[/:source]`: lets in what is signed by a source of the live release, and answers
 * 200 only when it is stored with its runs. Errors are `ErrorAnswer`.
 */
export function webhookApp(ports: WebhookAppPorts): Hono {
  const bodies = createBodyReader();
  const limits = createRateLimits(ports.clock);
  const newId = monotonicFactory();
  const app = new Hono();
  app.onError((thrown, context) => answerRefusal({ ...ports, limits }, thrown, context));
  app.notFound((context) => context.json({ error: "no such route", code: "not-found" }, 404));
  const serve = async (context: Context) => {
    const live = await liveWebhooks(ports.webhooks);
    const candidates = candidatesOf(live, context.req.param());
    return bodies.withBody(context.req.raw, async (body) => {
      const delivery = { headers: context.req.header(), body };
      const sources = authenticated(candidates, delivery);
      takeOne(limits, sources);
      const id = newId(ports.clock.now());
      return context.json(await accept(ports, { id, live, sources, delivery }));
    });
  };
  app.post("/webhooks/:type", serve).post("/webhooks/:type/:source", serve);
  app.on(["GET", "PUT", "PATCH", "DELETE"], "/webhooks/*", () => {
    throw new WebhookRefusal(405, "webhooks are sent with POST", { code: "wrong-method" });
  });
  return app;
}

/** A delivery that was let in. */
interface LetIn {
  readonly id: string;
  readonly live: LiveWebhooks;
  readonly sources: readonly [WebhookSource, ...WebhookSource[]];
  readonly delivery: RawDelivery;
}

async function accept(
  { deliveries, clock, logger }: WebhookAppPorts,
  { id, live, sources, delivery }: LetIn,
): Promise<DeliveryAnswer> {
  const { format } = sources[0];
  const reading = readDelivery(format, delivery);
  if (!reading.ok) throw new WebhookRefusal(400, reading.problem, { code: "bad-body" });
  const { event } = reading;
  const names = sources.map(({ name }) => name);
  const { matched, skipped } = matchListeners(live.listeners, names, event);
  const receipt = receiptOf(format, delivery, { id, sources: names, receivedAt: clock.now() });
  const trigger = { kind: "webhook", source: format.type, context: event.context } as const;
  const outcome = await deliveries.accept({ receipt, agents: matched, trigger });
  const facts = { receipt: id, sources: names, delivery: receipt.deliveryId };
  return answerOutcome(outcome, skipped.length, logger.child(facts));
}

async function liveWebhooks(webhooks: WebhooksPort): Promise<LiveWebhooks> {
  const live = await webhooks.current();
  if (live) return live;
  throw new WebhookRefusal(503, "webhooks cannot be accepted at the moment", {
    ...{ code: "not-serving", retryAfterSeconds: NOT_SERVING_SECONDS },
  });
}

function candidatesOf(
  { sources }: LiveWebhooks,
  { type, source }: Readonly<Record<string, string>>,
): readonly WebhookSource[] {
  if (!webhookTypes.some((known) => known === type)) {
    throw new WebhookRefusal(404, "there is no such type of webhooks", {
      ...{ code: "unknown-type", hint: `The types are ${webhookTypes.join(", ")}.` },
    });
  }
  const found = sources.filter(
    ({ name, format }) => format.type === type && (source === undefined || name === source),
  );
  if (found.length > 0) return found;
  throw new WebhookRefusal(404, "this project has no such webhook source", {
    code: "unknown-source",
    hint: `Add a [webhooks.<name>] table with type = "${type}" to config.toml, or correct the URL.`,
  });
}

function authenticated(candidates: readonly WebhookSource[], delivery: RawDelivery) {
  const verdict = authenticate(candidates, delivery);
  if (verdict.ok) return verdict.sources;
  const { problem, hint } = verdict;
  throw new WebhookRefusal(401, problem, { code: "bad-signature", hint });
}

/** Only what was let in counts: nobody else can use up a sender's rate. */
function takeOne(limits: RateLimits, sources: readonly WebhookSource[]): void {
  for (const { name, deliveriesPerMinute } of sources) {
    const waitMs = limits.take(`source ${name}`, deliveriesPerMinute);
    if (waitMs === 0) continue;
    throw new WebhookRefusal(429, `${deliveriesPerMinute} deliveries a minute are taken`, {
      code: "too-many-deliveries",
      hint: `Raise rateLimit of [webhooks.${name}] in config.toml if that is too few.`,
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    });
  }
}
