import { z } from "zod";

const filter = z
  .union([z.string(), z.array(z.string())], { error: "must be a string or a list of strings" })
  .transform((value) => (typeof value === "string" ? [value] : value))
  .optional();

/**
 * One `[[webhooks]]` of agent-config.toml: a source and filters, each a string or a list of them.
 * Fields are joined by AND, the values of one field by OR.
 */
export const WebhookTrigger = z.strictObject({
  source: z.string(),
  repos: filter,
  orgs: filter,
  org: filter,
  organizations: filter,
  projects: filter,
  resources: filter,
  events: filter,
  actions: filter,
  labels: filter,
  assignee: filter,
  author: filter,
  branches: filter,
  conclusions: filter,
});
export type WebhookTrigger = z.infer<typeof WebhookTrigger>;
