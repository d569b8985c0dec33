import type { Json } from "../base/canonical-json.ts";
import type { WebhookFilterField } from "./webhook-types.ts";

/** What a delivery offers to each filter field. */
export type WebhookFacts = Readonly<Partial<Record<WebhookFilterField, readonly string[]>>>;

/** What one kind of sender says in a delivery. */
export interface WebhookEvent {
  /** What an agent is told. */
  readonly context: Readonly<Record<string, Json>>;
  readonly facts: WebhookFacts;
  /** Only a test of the connection: it is for those alone whose `events` name it. */
  readonly isTest?: boolean;
}
