import { z } from "zod";
import { PreflightStep } from "./preflight-step.ts";
import { RunRetention } from "./retention.ts";
import { RunLimits } from "./run-limits.ts";
import { catchUps, interruptions } from "./schedule-policy.ts";
import { webhookTypes } from "./webhook-types.ts";

/** The model an agent talks to. */
export const ReleasedModel = z.strictObject({
  provider: z.string(),
  model: z.string(),
  authType: z.string().optional(),
  thinkingLevel: z.string().optional(),
  /** Replaces the provider's own address: a proxy, or a custom provider. */
  baseUrl: z.string().optional(),
});
export type ReleasedModel = z.infer<typeof ReleasedModel>;

/** A source of webhooks that an agent of the release listens to: its table in config.toml. */
export const ReleasedSource = z.strictObject({
  type: z.enum(webhookTypes),
  credential: z.array(z.string()).optional(),
  allowUnsigned: z.boolean(),
  rateLimit: z.int().positive(),
  signatureHeader: z.string().optional(),
  deliveryHeader: z.string().optional(),
  eventHeader: z.string().optional(),
});
export type ReleasedSource = z.infer<typeof ReleasedSource>;

/** `agents/<name>/agent.json` of a release: one agent, with every default filled in. */
export const ReleasedAgent = z.strictObject({
  name: z.string(),
  /** Image reference on the host. */
  image: z.string(),
  model: ReleasedModel,
  credentials: z.array(z.string()),
  schedule: z.string().optional(),
  /** IANA name; UTC when absent. */
  timezone: z.string().optional(),
  /** What becomes of missed ticks of the schedule; absent for `none`. */
  catchUp: z.enum(catchUps).optional(),
  /** Each tick is delayed by a part of it, always the same; absent for none. */
  jitterSeconds: z.int().positive().optional(),
  /** What follows a run whose container or host went away; absent for `none`. */
  onInterrupted: z.enum(interruptions).optional(),
  /** Concurrent runs; 0 disables the agent. */
  scale: z.int().nonnegative(),
  timeoutSeconds: z.int().positive(),
  memoryBytes: z.int().positive(),
  cpus: z.number().positive(),
  params: z.record(z.string(), z.json()),
  /** Absent when there is none. */
  preflight: z.array(PreflightStep).optional(),
  limits: RunLimits.optional(),
  /** Sources it listens to, and what for; absent when there is none. */
  webhooks: z
    .array(
      z.strictObject({
        source: z.string(),
        filter: z.record(z.string(), z.array(z.string())),
      }),
    )
    .optional(),
});
export type ReleasedAgent = z.infer<typeof ReleasedAgent>;

/** `project.json` of a release: what concerns all agents. */
export const ReleasedProject = z.strictObject({
  project: z.string(),
  /** Cap on concurrent runs of the whole project on this host. */
  scale: z.int().positive().optional(),
  maxReruns: z.int().nonnegative(),
  workQueueSize: z.int().positive(),
  /** How deep agents may call each other; releases made before there were calls do not say. */
  maxCallDepth: z.int().nonnegative().default(3),
  /** When a lock without a heartbeat is released; earlier releases do not say. */
  lockTimeoutSeconds: z.int().positive().default(1800),
  /** Absent where the project does not say. */
  retention: RunRetention.optional(),
  /** Reference of the image that rules and probe containers are made from. */
  baseImage: z.string(),
  /** By name; absent when no agent of the release listens to one. */
  webhooks: z.record(z.string(), ReleasedSource).optional(),
  /** The gateway has its key, with which operators may use the control API from outside. */
  control: z.literal(true).optional(),
  /** What is public, on the host with the ingress; absent where nothing is. */
  ingress: z
    .strictObject({
      /** The control API is, too. */
      control: z.boolean(),
      /** Addresses and ranges of proxies whose word on a client's address is taken. */
      trustedProxies: z.array(z.string()),
      /** Instance of the given certificate; had by ACME when absent. */
      certificate: z.string().optional(),
    })
    .optional(),
  /** Sorted names; each has `agents/<name>/agent.json` and `agents/<name>/ACTIONS.md`. */
  agents: z.array(z.string()),
});
export type ReleasedProject = z.infer<typeof ReleasedProject>;

/** `current.json`, as the runtime and the controller read it. */
export const CurrentFile = z.strictObject({
  project: z.string(),
  host: z.string(),
  revision: z.string(),
  release: z.string().regex(/^[0-9a-f]{64}$/),
  credentials: z.string().regex(/^[0-9a-f]{64}$/),
  runtime: z.string(),
  door: z.string().exactOptional(),
  ingress: z.string().exactOptional(),
  network: z.strictObject({
    name: z.string(),
    bridge: z.string(),
    subnet: z.string(),
    gateway: z.string(),
  }),
});
