import type { WebhookEvent } from "./webhook-event.ts";
import type { WebhookFilterField } from "./webhook-types.ts";

/** The conditions of one `[[webhooks]]`; a field that is absent, or an empty list, is none. */
export type WebhookFilter = Readonly<
  Partial<Record<WebhookFilterField, readonly string[] | undefined>>
>;

/** Names that their services compare without regard to case. */
const ANY_CASE: ReadonlySet<string> = new Set<WebhookFilterField>([
  ...(["repos", "orgs", "org", "organizations"] as const),
  ...(["labels", "assignee", "author"] as const),
]);

/**
 * True when every field of the filter has a value that the event has: AND between fields, OR inside a
 * list. A field of which the event says nothing matches nothing.
 */
export function matchesFilter(filter: WebhookFilter, event: WebhookEvent): boolean {
  const conditions = Object.entries(filter).filter(([, wanted]) => wanted && wanted.length > 0);
  if (event.isTest && !conditions.some(([field]) => field === "events")) return false;
  return conditions.every(([field, wanted = []]) => {
    const facts: Readonly<Record<string, readonly string[]>> = event.facts;
    const found = Object.hasOwn(facts, field) ? (facts[field] ?? []) : [];
    return wanted.some((value) => found.some((each) => isSame(field, value, each)));
  });
}

function isSame(field: string, wanted: string, found: string): boolean {
  if (wanted === found) return true;
  return ANY_CASE.has(field) && wanted.toLowerCase() === found.toLowerCase();
}

/** One `[[webhooks]]` of an agent. */
export interface WebhookListener {
  readonly agent: string;
  /** Name of the source. */
  readonly source: string;
  readonly filter: WebhookFilter;
}

/** Agents that listen to a source: those an event is for, and all others. Sorted, each once. */
export interface WebhookMatch {
  readonly matched: readonly string[];
  readonly skipped: readonly string[];
}

/** Whom an event that came from these sources is for; one agent is started once, however often it matches. */
export function matchListeners(
  listeners: readonly WebhookListener[],
  sources: readonly string[],
  event: WebhookEvent,
): WebhookMatch {
  const listening = listeners.filter(({ source }) => sources.includes(source));
  const matching = listening.filter(({ filter }) => matchesFilter(filter, event));
  const matched = new Set(matching.map(({ agent }) => agent));
  const skipped = new Set(listening.map(({ agent }) => agent)).difference(matched);
  return { matched: [...matched].sort(), skipped: [...skipped].sort() };
}
