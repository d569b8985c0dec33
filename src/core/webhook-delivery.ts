import { assertNever } from "../base/assert-never.ts";
import { sha256 } from "./fingerprint.ts";
import type { WebhookEvent } from "./webhook-event.ts";
import { readGithubEvent } from "./webhook-github.ts";
import { readLinearEvent } from "./webhook-linear.ts";
import { readMintlifyEvent } from "./webhook-mintlify.ts";
import { type Payload, present, readPayload, textAt, textsOf } from "./webhook-payload.ts";
import { readSentryEvent } from "./webhook-sentry.ts";
import type { WebhookFormat } from "./webhook-types.ts";

/** A request's headers by name in small letters. */
export type WebhookHeaders = Readonly<Record<string, string>>;

/** What was delivered, as it came. */
export interface RawDelivery {
  readonly headers: WebhookHeaders;
  readonly body: Uint8Array;
}

interface HeaderNames {
  readonly signature: readonly string[];
  readonly delivery?: string | undefined;
  readonly event?: string | undefined;
}

/** The signature a delivery carries; undefined when it is unsigned. */
export function signatureOf(format: WebhookFormat, headers: WebhookHeaders): string | undefined {
  const name = headerNames(format).signature.find((each) => headerOf(headers, each));
  return name && headerOf(headers, name);
}

/** The sender's name for a delivery, or the body's hash where it gives none. */
export function deliveryIdOf(format: WebhookFormat, { headers, body }: RawDelivery): string {
  const id = headerOf(headers, headerNames(format).delivery)?.trim() ?? "";
  return /^[\x21-\x7e]{1,200}$/.test(id) && !isHashId(id) ? id : `${HASH_PREFIX}${sha256(body)}`;
}

/** True for an id that was made from the body: equal bodies have it in common. */
export function isHashId(deliveryId: string): boolean {
  return deliveryId.startsWith(HASH_PREFIX);
}

/** The headers that reading a delivery again needs; signatures are not among them. */
export function headersToKeep(format: WebhookFormat, headers: WebhookHeaders): WebhookHeaders {
  const { delivery, event } = headerNames(format);
  const names = ["content-type", "user-agent", delivery, event];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headerOf(headers, name);
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Reads what a delivery says; never throws, whatever it is. */
export function readDelivery(
  format: WebhookFormat,
  { headers, body }: RawDelivery,
): { readonly ok: true; readonly event: WebhookEvent } | { ok: false; problem: string } {
  const reading = readPayload(body, headerOf(headers, "content-type"));
  if (!reading.ok) return reading;
  const name = headerOf(headers, headerNames(format).event);
  return { ok: true, event: readEvent(format.type, reading.payload, name) };
}

const HASH_PREFIX = "sha256:";

function headerNames(format: WebhookFormat): HeaderNames {
  switch (format.type) {
    case "github":
      return {
        signature: ["x-hub-signature-256"],
        delivery: "x-github-delivery",
        event: "x-github-event",
      };
    case "sentry":
      return {
        signature: ["sentry-hook-signature"],
        delivery: "request-id",
        event: "sentry-hook-resource",
      };
    case "linear":
      return {
        signature: ["linear-signature"],
        delivery: "linear-delivery",
        event: "linear-event",
      };
    case "mintlify":
      return { signature: ["x-mintlify-signature", "mintlify-signature"] };
    case "generic": {
      const { signature, delivery, event } = format.headers;
      return {
        signature: [signature.toLowerCase()],
        delivery: delivery?.toLowerCase(),
        event: event?.toLowerCase(),
      };
    }
    default:
      return assertNever(format);
  }
}

function headerOf(headers: WebhookHeaders, name: string | undefined): string | undefined {
  const value = name !== undefined && Object.hasOwn(headers, name) ? headers[name] : undefined;
  return value === "" ? undefined : value;
}

function readEvent(
  type: WebhookFormat["type"],
  payload: Payload,
  name: string | undefined,
): WebhookEvent {
  switch (type) {
    case "github":
      return readGithubEvent(payload, name);
    case "sentry":
      return readSentryEvent(payload, name);
    case "linear":
      return readLinearEvent(payload, name);
    case "mintlify":
      return readMintlifyEvent(payload);
    case "generic":
      return readGenericEvent(payload, name);
    default:
      return assertNever(type);
  }
}

/** Nothing is known of its body, so an agent gets all of it. */
function readGenericEvent(payload: Payload, name: string | undefined): WebhookEvent {
  const event = name ?? textAt(payload, "event") ?? textAt(payload, "type");
  const action = textAt(payload, "action");
  return {
    context: present({ event, action, payload }),
    facts: { events: textsOf([event]), actions: textsOf([action]) },
  };
}
