import type { Json } from "../base/canonical-json.ts";
import type { WebhookEvent } from "./webhook-event.ts";
import { at, listAt, numberAt, type Payload, present, textAt, textsOf } from "./webhook-payload.ts";

/** Reads a GitHub delivery; `event` is its `X-GitHub-Event`. */
export function readGithubEvent(payload: Payload, event: string | undefined): WebhookEvent {
  const subject = subjectOf(payload);
  const action = textAt(payload, "action");
  const repo = textAt(payload, "repository", "full_name");
  const labels = labelsOf(subject);
  const assignees = assigneesOf(payload, subject);
  const author = authorOf(payload, subject);
  const branches = branchesOf(payload, event);
  const conclusion = conclusionOf(payload, event);
  const context = present({
    event,
    action,
    repo,
    sender: textAt(payload, "sender", "login"),
    number: numberAt(subject, "number") ?? numberAt(payload, "number"),
    title: textAt(subject, "title") ?? textAt(subject, "display_title") ?? textAt(subject, "name"),
    body: textAt(subject, "body"),
    url:
      textAt(subject, "html_url") ??
      textAt(payload, "compare") ??
      textAt(payload, "comment", "html_url"),
    author,
    assignee: assignees[0],
    labels,
    branch: branches[0],
    comment: textAt(payload, "comment", "body") ?? textAt(payload, "review", "body"),
    conclusion,
  });
  const owners = textsOf([
    textAt(payload, "organization", "login"),
    textAt(payload, "repository", "owner", "login"),
    repo?.split("/")[0],
  ]);
  const facts = {
    ...{ repos: textsOf([repo]), orgs: owners, org: owners },
    ...{ events: textsOf([event]), actions: textsOf([action]), labels: labels ?? [] },
    ...{ assignee: assignees, author: textsOf([author]), branches },
    conclusions: textsOf([conclusion]),
  };
  return { context, facts, isTest: event === "ping" };
}

/** What an event is about; a comment or a review is about what it was written on. */
const SUBJECTS = [
  ...["pull_request", "issue", "discussion", "release"],
  ...["workflow_run", "workflow_job", "check_run", "check_suite"],
] as const;

function subjectOf(payload: Payload): Json | undefined {
  const name = SUBJECTS.find((each) => typeof (at(payload, each) ?? undefined) === "object");
  return name && at(payload, name);
}

function labelsOf(subject: Json | undefined): readonly string[] | undefined {
  const labels = at(subject, "labels");
  // A job's labels are plain texts, and name runners.
  return Array.isArray(labels) ? textsOf(labels.map((label) => textAt(label, "name"))) : undefined;
}

/** The one this event is about first, then all others. */
function assigneesOf(payload: Payload, subject: Json | undefined): readonly string[] {
  return textsOf([
    textAt(payload, "assignee", "login"),
    textAt(subject, "assignee", "login"),
    ...listAt(subject, "assignees").map((assignee) => textAt(assignee, "login")),
  ]);
}

function authorOf(payload: Payload, subject: Json | undefined): string | undefined {
  return (
    textAt(subject, "user", "login") ??
    textAt(subject, "author", "login") ??
    textAt(subject, "actor", "login") ??
    textAt(payload, "comment", "user", "login") ??
    textAt(payload, "head_commit", "author", "username") ??
    textAt(payload, "pusher", "name")
  );
}

/** The head of a pull request or of a check, or what was pushed, created or deleted. */
function branchesOf(payload: Payload, event: string | undefined): readonly string[] {
  return textsOf([
    textAt(payload, "pull_request", "head", "ref"),
    textAt(payload, "workflow_run", "head_branch"),
    textAt(payload, "workflow_job", "head_branch"),
    textAt(payload, "check_run", "check_suite", "head_branch"),
    textAt(payload, "check_suite", "head_branch"),
    textAt(payload, "ref_type") === "branch" ? textAt(payload, "ref") : undefined,
    /^refs\/heads\/(.+)$/s.exec(textAt(payload, "ref") ?? "")?.[1],
    ...(event === "status" ? listAt(payload, "branches") : []).map((each) => textAt(each, "name")),
  ]);
}

/** A commit's status says `state` for what a check calls its conclusion. */
function conclusionOf(payload: Payload, event: string | undefined): string | undefined {
  return (
    textAt(payload, "workflow_run", "conclusion") ??
    textAt(payload, "workflow_job", "conclusion") ??
    textAt(payload, "check_run", "conclusion") ??
    textAt(payload, "check_suite", "conclusion") ??
    (event === "status" ? textAt(payload, "state") : undefined)
  );
}
