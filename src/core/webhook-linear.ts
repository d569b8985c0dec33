import type { WebhookEvent } from "./webhook-event.ts";
import { at, listAt, numberAt, type Payload, present, textAt, textsOf } from "./webhook-payload.ts";

/** Names that filters use for Linear's two most common types; other types are written_like_this. */
const EVENTS: ReadonlyMap<string, string> = new Map([
  ["Issue", "issues"],
  ["Comment", "issue_comment"],
]);

/** Reads a Linear delivery; `header` is its `Linear-Event`, for bodies without a type. */
export function readLinearEvent(payload: Payload, header: string | undefined): WebhookEvent {
  const type = textAt(payload, "type") ?? header;
  const event = type === undefined ? undefined : (EVENTS.get(type) ?? snakeCase(type));
  const action = textAt(payload, "action");
  const data = at(payload, "data");
  const issue = event === "issue_comment" ? at(data, "issue") : data;
  const url = textAt(payload, "url") ?? textAt(data, "url");
  const organization = textAt(payload, "organizationId");
  const labels = textsOf(listAt(issue, "labels").map((label) => textAt(label, "name")));
  const assignee = textAt(issue, "assignee", "email");
  const author =
    textAt(data, "user", "email") ??
    textAt(data, "creator", "email") ??
    textAt(payload, "actor", "email");
  const context = present({
    ...{ event, action, organization },
    sender: textAt(payload, "actor", "name"),
    id: textAt(issue, "identifier"),
    number: numberAt(issue, "number"),
    title: textAt(issue, "title") ?? textAt(data, "name"),
    body: textAt(issue, "description"),
    ...{ url, author, assignee, labels },
    state: textAt(issue, "state", "name"),
    team: textAt(issue, "team", "key"),
    comment: event === "issue_comment" ? textAt(data, "body") : undefined,
  });
  const facts = {
    organizations: textsOf([organization, workspaceOf(url)]),
    ...{ events: textsOf([event, type]), actions: textsOf([action]), labels },
    ...{ assignee: textsOf([assignee]), author: textsOf([author]) },
  };
  return { context, facts };
}

/** The workspace's name, as every address in it begins: people know it better than its id. */
function workspaceOf(url: string | undefined): string | undefined {
  return /^https:\/\/linear\.app\/([^/?#]+)\//.exec(url ?? "")?.[1];
}

function snakeCase(type: string): string {
  return type.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase();
}
