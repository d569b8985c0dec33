import { z } from "zod";
import { PreflightStep } from "../core/preflight-step.ts";
import { RunLimits } from "../core/run-limits.ts";
import { catchUps, interruptions } from "../core/schedule-policy.ts";
import { CredentialName } from "./credential-name.ts";
import { CronSchedule } from "./cron-schedule.ts";
import { ModelTable } from "./model-table.ts";
import { WebhookTrigger } from "./webhook-filters.ts";

/** `agent-config.toml`: one agent; its directory's name is the agent's name. */
export const AgentConfigFile = z.strictObject({
  /** References, `type` or `type:instance`. */
  credentials: z.array(CredentialName).default([]),
  schedule: CronSchedule.optional(),
  /** What becomes of ticks of the schedule that were missed. */
  catchUp: z.enum(catchUps).default("none"),
  /** Seconds by which ticks of the schedule are delayed at most. */
  jitter: z.int().min(0).max(3600).default(0),
  onInterrupted: z.enum(interruptions).default("none"),
  /** Concurrent runs; 0 disables the agent. */
  scale: z.int().nonnegative().default(1),
  /** The only hosts it may be on; any when absent. */
  hosts: z
    .array(z.string())
    .refine((names) => names.length > 0, "names no host; leave it out to allow any")
    .optional(),
  /** What a host's labels must have. */
  labels: z.record(z.string(), z.string()).default({}),
  replicas: z
    .union([z.int().positive(), z.literal("all")], {
      error: 'must be a whole number of at least 1, or "all"',
    })
    .default(1),
  /** Seconds; falls back to config.toml's `[local] timeout`. */
  timeout: z.int().positive().optional(),
  limits: RunLimits.optional(),
  model: ModelTable.prefault({}),
  webhooks: z.array(WebhookTrigger).default([]),
  preflight: z.array(PreflightStep).default([]),
  /** Given to the agent as JSON. */
  params: z.record(z.string(), z.json()).default({}),
});
export type AgentConfigFile = z.infer<typeof AgentConfigFile>;
