import * as z from "zod";
import { PreflightStep } from "./preflight-step.ts";

/** The model providers an agent may name. */
export const modelProviders = [
  "anthropic",
  "openai",
  "groq",
  "google",
  "xai",
  "mistral",
  "openrouter",
  "custom",
] as const;

/** How a provider is authenticated; `pi_auth` works on a person's machine only, never in a run. */
export const modelAuthTypes = ["api_key", "oauth_token", "pi_auth"] as const;

/** How much a model may think before it answers. */
export const thinkingLevels = ["off", "minimal", "low", "medium", "high", "xhigh"] as const;

/** The `[model]` table, as a run gets it. */
export const ModelConfig = z.object({
  provider: z.enum(modelProviders),
  model: z.string().min(1),
  authType: z.enum(modelAuthTypes).default("api_key"),
  thinkingLevel: z.enum(thinkingLevels).optional(),
  /** Replaces the provider's own address; for OpenAI's protocol it ends in `/v1`. */
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
});
export type ModelConfig = z.infer<typeof ModelConfig>;

/**
 * What a run is told about its agent: `/run/al/config.json`, or the variable AGENT_CONFIG.
 * Unknown keys are dropped, since an agent's image may be older than the runtime that starts it.
 */
export const AgentRunConfig = z.object({
  name: z.string().min(1),
  /** The text of ACTIONS.md. */
  instructions: z.string(),
  model: ModelConfig,
  /** References, `type` or `type:instance`, in the order of agent-config.toml. */
  credentials: z.array(z.string()).default([]),
  params: z.record(z.string(), z.json()).default({}),
  /** Run in order before the session begins. */
  preflight: z.array(PreflightStep).default([]),
  /** Used when the container has no TIMEOUT_SECONDS. */
  timeoutSeconds: z.int().positive().optional(),
});
export type AgentRunConfig = z.infer<typeof AgentRunConfig>;
