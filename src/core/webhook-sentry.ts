import type { WebhookEvent } from "./webhook-event.ts";
import { at, type Payload, present, textAt, textsOf } from "./webhook-payload.ts";

/** Reads a Sentry delivery; `resource` is its `Sentry-Hook-Resource`. */
export function readSentryEvent(payload: Payload, resource: string | undefined): WebhookEvent {
  const data = at(payload, "data");
  const subject =
    at(data, "issue") ?? at(data, "event") ?? at(data, "error") ?? at(data, "metric_alert");
  const context = present({
    event: resource,
    action: textAt(payload, "action"),
    title: textAt(subject, "title") ?? textAt(data, "description_title"),
    body: textAt(subject, "culprit") ?? textAt(data, "description_text"),
    url: textAt(subject, "web_url") ?? textAt(subject, "permalink") ?? textAt(data, "web_url"),
    project: textAt(subject, "project", "slug") ?? textAt(data, "project_slug"),
    level: textAt(subject, "level"),
    issue: textAt(subject, "shortId") ?? textAt(subject, "issue_id") ?? textAt(data, "issue_id"),
    rule: textAt(data, "triggered_rule") ?? textAt(subject, "alert_rule", "name"),
    comment: textAt(data, "comment"),
    sender: textAt(payload, "actor", "name"),
  });
  return { context, facts: { resources: textsOf([resource]) } };
}
