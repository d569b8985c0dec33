import { createHmac, randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { AlError } from "../../../src/base/errors.ts";
import { type LogFields, type Logger, silentLogger } from "../../../src/base/logger.ts";
import { Secret } from "../../../src/base/secret.ts";
import { joinTrigger, type TriggerFacts } from "../../../src/core/trigger.ts";
import type { WebhookSource } from "../../../src/core/webhook-authenticate.ts";
import type { WebhookListener } from "../../../src/core/webhook-filter.ts";
import type { WebhookFormat } from "../../../src/core/webhook-types.ts";
import { answerError } from "../../../src/gateway/answers.ts";
import { webhookApp } from "../../../src/gateway/webhook-app.ts";
import { webhookControl } from "../../../src/gateway/webhook-control.ts";
import type { DeliveriesPort, LiveWebhooks } from "../../../src/gateway/webhook-ports.ts";
import { createDeliveryQueue } from "../../../src/schedule/delivery-queue.ts";
import { createSerial } from "../../../src/schedule/serial.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { createWebhookReceipts } from "../../../src/state/webhook-receipts.ts";
import { SimulatedClock } from "../schedule/simulated-clock.ts";
import { serveAtDoor } from "./at-door.ts";

/** Status, headers and parsed body of an answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** One request; `signedWith` signs its bytes as GitHub does. */
export interface Sending {
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signedWith?: string;
}

/** A world with one GitHub source `acme`, secret `s3cret`, to which agent `triage` listens. */
export type WebhookWorld = Awaited<ReturnType<typeof openWebhookWorld>>;

/** The outside listener on a real socket, over a real database; only time is simulated. */
export async function openWebhookWorld({
  path = ":memory:",
  ...timeouts
}: {
  readonly path?: string;
  readonly headersMs?: number;
  readonly requestMs?: number;
} = {}) {
  const clock = new SimulatedClock();
  const database = openDatabase(path, RUN_MIGRATIONS);
  const store = createRunStore(database);
  const receipts = createWebhookReceipts(database, store.enqueue);
  const state = {
    live: {
      sources: [source("acme", "github", { secrets: ["s3cret"] })],
      listeners: [listener("triage", "acme")],
    } as LiveWebhooks | undefined,
    /** Why no run of an agent is taken now. */
    refusals: new Map<string, Error>(),
  };
  const ports = {
    ...{ receipts, clock, newId: () => randomUUID(), exclusive: createSerial() },
    roomCheck: async () => async (agent: string) => {
      const refusal = state.refusals.get(agent);
      if (refusal) throw refusal;
    },
  };
  const log: { readonly message: string; readonly fields: LogFields }[] = [];
  const webhooks = { current: async () => state.live };
  const deliveries: DeliveriesPort = createDeliveryQueue(ports);
  const logger = collect(log);
  const app = webhookApp({ webhooks, deliveries, clock, logger });
  const control = webhookControl({ webhooks, deliveries, ...ports });
  control.onError(answerError(logger));
  const listening = await serveAtDoor(app, timeouts);
  const url = `http://127.0.0.1:${listening.port}`;
  return {
    ...{ state, clock, receipts, database, log, url, port: listening.port },
    /** The operator's side. */
    control,
    /** Runs in the order of their acceptance. */
    runs: () => allRuns(database),
    send: (path: string, sending: Sending = {}) => send(`${url}${path}`, sending),
    async dispose() {
      await listening.close();
      database.close();
    },
  };
}

/** A source as a live release has it. */
export function source(
  name: string,
  format: WebhookFormat | "github" | "sentry" | "linear" | "mintlify",
  more: Partial<Omit<WebhookSource, "secrets">> & { readonly secrets?: readonly string[] } = {},
): WebhookSource {
  const { secrets = [], ...rest } = more;
  return {
    ...{ name, format: typeof format === "string" ? { type: format } : format },
    ...{ allowUnsigned: false, deliveriesPerMinute: 60_000, ...rest },
    secrets: secrets.map((value) => new Secret(value)),
  };
}

/** An agent that listens to a source. */
export function listener(
  agent: string,
  from: string,
  filter: WebhookListener["filter"] = {},
): WebhookListener {
  return { agent, source: from, filter };
}

/** HMAC-SHA256 of a body, in hex. */
export function hmac(body: string | Uint8Array, secret: string): string {
  return createHmac("sha256", secret).update(body).digest("hex");
}

/** That an agent's queue is full. */
export function queueFull(agent: string): AlError {
  return new AlError(`agent ${agent} has 100 runs waiting`, {
    ...{ code: "queue-full", blame: "transient" },
  });
}

async function send(url: string, { body = "{}", headers, signedWith }: Sending): Promise<Answer> {
  const signature = signedWith && { "x-hub-signature-256": `sha256=${hmac(body, signedWith)}` };
  const response = await fetch(url, {
    method: "POST",
    body: typeof body === "string" ? body : new Blob([new Uint8Array(body)]),
    headers: { ...signature, ...headers },
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

function allRuns(database: DatabaseSync) {
  const sql =
    "SELECT agent, trigger, context FROM runs JOIN run_contexts ON run = id ORDER BY runs.rowid";
  return database
    .prepare(sql)
    .all()
    .map(({ agent, trigger, context }) => ({
      agent: String(agent),
      trigger: joinTrigger(JSON.parse(String(trigger)) as TriggerFacts, String(context)),
    }));
}

function collect(log: { message: string; fields: LogFields }[], base: LogFields = {}): Logger {
  const add = (fields: LogFields, message: string) =>
    void log.push({ message, fields: { ...base, ...fields } });
  return {
    ...silentLogger,
    ...{ info: add, warn: add, error: add },
    child: (fields) => collect(log, { ...base, ...fields }),
  };
}
