/** The kinds of services that may send webhooks; `generic` is any that signs with HMAC-SHA256. */
export const webhookTypes = ["github", "sentry", "linear", "mintlify", "generic"] as const;
export type WebhookType = (typeof webhookTypes)[number];

/** Which filter fields each kind of webhook understands. */
export const webhookFilterFields = {
  github: [
    "repos",
    "orgs",
    "org",
    "events",
    "actions",
    "labels",
    "assignee",
    "author",
    "branches",
    "conclusions",
  ],
  sentry: ["resources"],
  linear: ["organizations", "events", "actions", "labels", "assignee", "author"],
  mintlify: ["projects", "events", "actions", "branches"],
  generic: ["events", "actions"],
} as const satisfies Readonly<Record<WebhookType, readonly string[]>>;
export type WebhookFilterField = (typeof webhookFilterFields)[WebhookType][number];

/** The credential type that holds the secret of each kind of webhook, in its field `secret`. */
export const webhookSecretTypes: Readonly<Record<WebhookType, string>> = {
  github: "github_webhook_secret",
  sentry: "sentry_client_secret",
  linear: "linear_webhook_secret",
  mintlify: "mintlify_webhook_secret",
  generic: "generic_webhook_secret",
};

/** Where a sender of kind `generic` writes what other kinds write in headers of their own. */
export interface GenericHeaders {
  /** Of the signature: hex, with or without `sha256=` before it. */
  readonly signature: string;
  /** Of the delivery's id; without it the body's hash stands for one. */
  readonly delivery?: string | undefined;
  /** Of the event's name; without it, or where it is absent, `event` or `type` of the body. */
  readonly event?: string | undefined;
}

/** One `[webhooks.<name>]`, as a delivery is read by it. */
export type WebhookFormat =
  | { readonly type: Exclude<WebhookType, "generic"> }
  | { readonly type: "generic"; readonly headers: GenericHeaders };

/** How many deliveries a minute are taken from a source that does not say. */
export const DEFAULT_DELIVERIES_PER_MINUTE = 6000;

/** Where a `generic` source that names no header has its signatures. */
const DEFAULT_SIGNATURE_HEADER = "X-Hub-Signature-256";

/** How deliveries of a source are read, by what its table in config.toml says. */
export function webhookFormat(source: {
  readonly type: WebhookType;
  readonly signatureHeader?: string | undefined;
  readonly deliveryHeader?: string | undefined;
  readonly eventHeader?: string | undefined;
}): WebhookFormat {
  const { type, signatureHeader, deliveryHeader, eventHeader } = source;
  if (type !== "generic") return { type };
  const signature = signatureHeader ?? DEFAULT_SIGNATURE_HEADER;
  return { type, headers: { signature, delivery: deliveryHeader, event: eventHeader } };
}
