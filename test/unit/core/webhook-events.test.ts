import { describe, expect, test } from "vitest";
import type { Json } from "../../../src/base/canonical-json.ts";
import { readDelivery, type WebhookHeaders } from "../../../src/core/webhook-delivery.ts";
import type { WebhookEvent } from "../../../src/core/webhook-event.ts";
import type { WebhookFormat } from "../../../src/core/webhook-types.ts";
import * as fixtures from "./webhook-fixtures.ts";

/** Reads a body as its receiver would. */
function read(format: WebhookFormat, body: unknown, headers: WebhookHeaders = {}): WebhookEvent {
  const reading = readDelivery(format, { headers, body: Buffer.from(JSON.stringify(body)) });
  if (!reading.ok) throw new TypeError(reading.problem);
  return reading.event;
}

const GITHUB_CONTEXTS: [string, unknown, Json][] = [
  [
    "issues",
    fixtures.issueLabeled,
    {
      ...{ event: "issues", action: "labeled", repo: "acme/app", sender: "ann", number: 42 },
      ...{ title: "It breaks", body: "When I click.", author: "bob", assignee: "cid" },
      url: "https://github.com/acme/app/issues/42",
      labels: ["bug", "triage"],
    },
  ],
  [
    "issue_comment",
    fixtures.issueComment,
    {
      ...{ event: "issue_comment", action: "created", repo: "acme/app", sender: "ann", number: 42 },
      ...{ title: "It breaks", body: "When I click.", author: "bob", assignee: "cid" },
      url: "https://github.com/acme/app/issues/42",
      ...{ labels: ["bug", "triage"], comment: "Me too." },
    },
  ],
  [
    "pull_request",
    fixtures.pullRequestOpened,
    {
      ...{ event: "pull_request", action: "opened", repo: "acme/app", sender: "ann", number: 43 },
      ...{ title: "Mend it", author: "bob", labels: [], branch: "mend-it" },
      url: "https://github.com/acme/app/pull/43",
    },
  ],
  [
    "pull_request_review",
    fixtures.pullRequestReview,
    {
      ...{ event: "pull_request_review", action: "submitted", repo: "acme/app", sender: "ann" },
      ...{ number: 43, title: "Mend it", author: "bob", labels: [], branch: "mend-it" },
      ...{ url: "https://github.com/acme/app/pull/43", comment: "Not like this." },
    },
  ],
  [
    "workflow_run",
    fixtures.workflowFailed,
    {
      ...{ event: "workflow_run", action: "completed", repo: "acme/app", sender: "ann" },
      ...{ title: "Mend it", author: "bob", branch: "main", conclusion: "failure" },
      url: "https://github.com/acme/app/actions/runs/5",
    },
  ],
  [
    "push",
    fixtures.push,
    {
      ...{ event: "push", repo: "acme/app", sender: "ann", author: "bob" },
      ...{ url: "https://github.com/acme/app/compare/0...1", branch: "release/1.x" },
    },
  ],
  [
    "release",
    fixtures.releasePublished,
    {
      ...{ event: "release", action: "published", repo: "acme/app", sender: "ann" },
      ...{ title: "Two", body: "All new.", author: "bob" },
      url: "https://github.com/acme/app/releases/tag/v2",
    },
  ],
  [
    "status",
    fixtures.statusFailed,
    {
      ...{ event: "status", repo: "acme/app", sender: "ann" },
      ...{ branch: "main", conclusion: "failure" },
    },
  ],
];

describe("a delivery from GitHub", () => {
  test.each(GITHUB_CONTEXTS)("tells an agent of %s what it needs", (event, body, context) => {
    expect(read({ type: "github" }, body, { "x-github-event": event }).context).toEqual(context);
  });

  test("offers every assignee, both names of the owner and every branch to filters", () => {
    const headers = { "x-github-event": "issues" };
    expect(read({ type: "github" }, fixtures.issueLabeled, headers).facts).toEqual({
      ...{ repos: ["acme/app"], orgs: ["acme"], org: ["acme"], events: ["issues"] },
      ...{ actions: ["labeled"], labels: ["bug", "triage"], assignee: ["cid", "dan"] },
      ...{ author: ["bob"], branches: [], conclusions: [] },
    });
    const status = read({ type: "github" }, fixtures.statusFailed, { "x-github-event": "status" });
    expect(status.facts.branches).toEqual(["main", "next"]);
  });

  test("may be a form", () => {
    const form = new URLSearchParams({ payload: JSON.stringify(fixtures.push) }).toString();
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      "x-github-event": "push",
    };
    const reading = readDelivery({ type: "github" }, { headers, body: Buffer.from(form) });
    expect(reading).toMatchObject({ ok: true, event: { context: { branch: "release/1.x" } } });
  });

  test("a pushed tag is no branch", () => {
    const event = read({ type: "github" }, { ...fixtures.push, ref: "refs/tags/v1" });
    expect(event.facts.branches).toEqual([]);
  });
});

describe("a delivery from Sentry", () => {
  test.each([
    [
      "issue",
      fixtures.sentryIssue,
      {
        ...{ event: "issue", action: "created", title: "TypeError: x", body: "app/main" },
        ...{ url: "https://acme.sentry.io/issues/1/", project: "app", level: "error" },
        ...{ issue: "APP-1", sender: "Sentry" },
      },
    ],
    [
      "event_alert",
      fixtures.sentryAlert,
      {
        ...{ event: "event_alert", action: "triggered", title: "Error: heck" },
        ...{ body: "?(<anonymous>)", level: "error", issue: "1117", rule: "Very important" },
        url: "https://sentry.io/organizations/acme/issues/1117/events/e4/",
        sender: "Sentry",
      },
    ],
    [
      "metric_alert",
      fixtures.sentryMetric,
      {
        ...{ event: "metric_alert", action: "critical", title: "Critical: Latency" },
        ...{ body: "1000 in the last 10 minutes", rule: "Latency", sender: "Sentry" },
        url: "https://acme.sentry.io/alerts/1/",
      },
    ],
  ])("tells an agent of %s what it needs", (resource, body, context) => {
    const event = read({ type: "sentry" }, body, { "sentry-hook-resource": resource });
    expect(event).toEqual({ context, facts: { resources: [resource] } });
  });
});

describe("a delivery from Linear", () => {
  test("calls an Issue `issues`, and tells people by their e-mail", () => {
    expect(read({ type: "linear" }, fixtures.linearIssue)).toEqual({
      context: {
        ...{ event: "issues", action: "create", organization: "11111111-2222", sender: "Ann" },
        ...{ id: "ENG-7", number: 7, title: "It breaks", body: "Click.", labels: ["Bug"] },
        ...{ author: "ann@example.com", assignee: "cid@example.com", state: "Todo", team: "ENG" },
        url: "https://linear.app/acme/issue/ENG-7/it-breaks",
      },
      facts: {
        ...{ organizations: ["11111111-2222", "acme"], events: ["issues", "Issue"] },
        ...{ actions: ["create"], labels: ["Bug"] },
        ...{ assignee: ["cid@example.com"], author: ["ann@example.com"] },
      },
    });
  });

  test("calls a Comment `issue_comment`", () => {
    expect(read({ type: "linear" }, fixtures.linearComment).context).toEqual({
      ...{ event: "issue_comment", action: "create", organization: "11111111-2222" },
      ...{ sender: "Ann", id: "ENG-7", title: "It breaks", author: "eve@example.com" },
      ...{ labels: [], comment: "Me too." },
      url: "https://linear.app/acme/issue/ENG-7/it-breaks#comment-c",
    });
  });

  test("takes the event's name from the header where the body has none", () => {
    const headers = { "linear-event": "ProjectUpdate" };
    expect(read({ type: "linear" }, { action: "create" }, headers).context.event).toBe(
      "project_update",
    );
  });
});

test("a delivery from Mintlify is a build with its status", () => {
  expect(read({ type: "mintlify" }, fixtures.mintlifyBuild)).toEqual({
    context: { event: "build", action: "failed", project: "docs", branch: "main" },
    facts: {
      ...{ projects: ["docs"], events: ["build"], actions: ["failed"], branches: ["main"] },
    },
  });
});

test("a delivery from anybody else goes to the agent as a whole", () => {
  const headers = { signature: "X-Signature", event: "X-Event" };
  const body = { type: "deploy", action: "done", deep: { n: [1, null] } };
  const format = { type: "generic", headers } as const;
  expect(read(format, body).context).toEqual({ event: "deploy", action: "done", payload: body });
  expect(read(format, body, { "x-event": "rollout" }).facts).toEqual({
    events: ["rollout"],
    actions: ["done"],
  });
});
