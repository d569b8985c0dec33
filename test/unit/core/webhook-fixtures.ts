/*
 * Bodies in the shapes that the services document, as short as they can be:
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 * https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
 * https://linear.app/developers/webhooks
 */

const repository = {
  ...{ id: 1, name: "app", full_name: "acme/app", private: true },
  owner: { login: "acme", type: "Organization" },
  html_url: "https://github.com/acme/app",
};
const github = { repository, organization: { login: "acme" }, sender: { login: "ann" } };

/** `issues`, when a label is set. */
export const issueLabeled = {
  ...{ action: "labeled", ...github, label: { name: "triage", color: "fff" } },
  issue: {
    ...{ id: 7, number: 42, title: "It breaks", body: "When I click.", state: "open" },
    html_url: "https://github.com/acme/app/issues/42",
    ...{ user: { login: "bob" }, assignee: { login: "cid" } },
    assignees: [{ login: "cid" }, { login: "dan" }],
    labels: [{ name: "bug" }, { name: "triage" }],
  },
};

/** `issue_comment`, on an issue. */
export const issueComment = {
  ...{ ...issueLabeled, action: "created", label: undefined },
  comment: { id: 9, body: "Me too.", user: { login: "eve" } },
};

/** `pull_request`, when it is opened. */
export const pullRequestOpened = {
  ...{ action: "opened", number: 43, ...github },
  pull_request: {
    ...{ number: 43, title: "Mend it", body: null, user: { login: "bob" } },
    html_url: "https://github.com/acme/app/pull/43",
    ...{ assignee: null, assignees: [], labels: [] },
    ...{ head: { ref: "mend-it", sha: "a1" }, base: { ref: "main", sha: "b2" } },
  },
};

/** `pull_request_review`, when changes are asked for. */
export const pullRequestReview = {
  ...{ ...pullRequestOpened, action: "submitted", number: undefined },
  review: { body: "Not like this.", state: "changes_requested", user: { login: "eve" } },
};

/** `workflow_run`, when it failed. */
export const workflowFailed = {
  ...{ action: "completed", ...github, workflow: { name: "CI" } },
  workflow_run: {
    ...{ id: 5, name: "CI", display_title: "Mend it", head_branch: "main" },
    ...{ status: "completed", conclusion: "failure", actor: { login: "bob" } },
    html_url: "https://github.com/acme/app/actions/runs/5",
  },
};

/** `push` to a branch. */
export const push = {
  ...{ ref: "refs/heads/release/1.x", before: "0", after: "1", ...github },
  compare: "https://github.com/acme/app/compare/0...1",
  ...{ pusher: { name: "bob" }, head_commit: { id: "1", author: { username: "bob" } } },
};

/** `release`, when it is published. */
export const releasePublished = {
  ...{ action: "published", ...github },
  release: {
    ...{ tag_name: "v2", name: "Two", body: "All new.", author: { login: "bob" } },
    html_url: "https://github.com/acme/app/releases/tag/v2",
  },
};

/** `status` of a commit. */
export const statusFailed = {
  ...{ ...github, sha: "a1", state: "failure", context: "ci/build" },
  branches: [{ name: "main" }, { name: "next" }],
};

/** `ping`, when a webhook is made. */
export const ping = { zen: "Keep it simple.", hook_id: 1, hook: { type: "Repository" }, ...github };

/** Sentry: resource `issue`. */
export const sentryIssue = {
  ...{ action: "created", installation: { uuid: "u" } },
  data: {
    issue: {
      ...{ id: "1", shortId: "APP-1", title: "TypeError: x", culprit: "app/main" },
      ...{ level: "error", status: "unresolved", project: { id: "3", slug: "app" } },
      web_url: "https://acme.sentry.io/issues/1/",
    },
  },
  actor: { type: "application", id: "sentry", name: "Sentry" },
};

/** Sentry: resource `event_alert`. */
export const sentryAlert = {
  ...{ action: "triggered", installation: { uuid: "u" } },
  data: {
    event: {
      ...{ title: "Error: heck", culprit: "?(<anonymous>)", level: "error", issue_id: "1117" },
      web_url: "https://sentry.io/organizations/acme/issues/1117/events/e4/",
    },
    triggered_rule: "Very important",
  },
  actor: { type: "application", id: "sentry", name: "Sentry" },
};

/** Sentry: resource `metric_alert`. */
export const sentryMetric = {
  action: "critical",
  data: {
    metric_alert: { alert_rule: { name: "Latency" }, projects: ["app"] },
    description_title: "Critical: Latency",
    description_text: "1000 in the last 10 minutes",
    web_url: "https://acme.sentry.io/alerts/1/",
  },
  actor: { type: "application", id: "sentry", name: "Sentry" },
};

const linear = {
  organizationId: "11111111-2222",
  createdAt: "2026-01-01T00:00:00.000Z",
  ...{ webhookTimestamp: 1767225600000, webhookId: "w" },
  actor: { id: "a", type: "user", name: "Ann", email: "ann@example.com" },
};
const linearIssueData = {
  ...{ id: "i", identifier: "ENG-7", number: 7, title: "It breaks", description: "Click." },
  ...{ state: { name: "Todo" }, team: { key: "ENG", name: "Engineering" } },
  ...{ labels: [{ id: "l", name: "Bug" }], assignee: { id: "c", email: "cid@example.com" } },
};

/** Linear: an issue. */
export const linearIssue = {
  ...{ action: "create", type: "Issue", ...linear, data: linearIssueData },
  url: "https://linear.app/acme/issue/ENG-7/it-breaks",
};

/** Linear: a comment on it. */
export const linearComment = {
  ...{ action: "create", type: "Comment", ...linear },
  data: {
    ...{ id: "c", body: "Me too.", issue: { id: "i", identifier: "ENG-7", title: "It breaks" } },
    user: { id: "e", name: "Eve", email: "eve@example.com" },
  },
  url: "https://linear.app/acme/issue/ENG-7/it-breaks#comment-c",
};

/** Mintlify: a build. */
export const mintlifyBuild = { status: "failed", project: "docs", branch: "main" };
