import { z } from "zod";
import type { ListedLock } from "../core/run-lock.ts";
import { HoldAnswer, RunAnswer } from "./control-schema.ts";

const who = z.string().min(1).max(200);
const agent = z.string();
const time = z.int().nonnegative();

/** The body of a pause, a disabling or a stop, which may be left out. */
export const HoldRequest = z.strictObject({ by: who.optional() });
export type HoldRequest = z.infer<typeof HoldRequest>;

/** `POST /control/pause`. */
export const PausedAnswer = z.object({ paused: HoldAnswer });
export type PausedAnswer = z.infer<typeof PausedAnswer>;

/** `POST /control/resume`: false when it was not paused. */
export const ResumedAnswer = z.object({ resumed: z.boolean() });
export type ResumedAnswer = z.infer<typeof ResumedAnswer>;

/** `POST /control/agents/:agent/pause`. */
export const AgentPausedAnswer = z.object({ agent, paused: HoldAnswer });
export type AgentPausedAnswer = z.infer<typeof AgentPausedAnswer>;

/** `POST /control/agents/:agent/resume`: false when it was not paused. */
export const AgentResumedAnswer = z.object({ agent, resumed: z.boolean() });
export type AgentResumedAnswer = z.infer<typeof AgentResumedAnswer>;

/** `POST /control/agents/:agent/disable`. */
export const AgentDisabledAnswer = z.object({ agent, disabled: HoldAnswer });
export type AgentDisabledAnswer = z.infer<typeof AgentDisabledAnswer>;

/** `POST /control/agents/:agent/enable`: false when it was not disabled. */
export const AgentEnabledAnswer = z.object({ agent, enabled: z.boolean() });
export type AgentEnabledAnswer = z.infer<typeof AgentEnabledAnswer>;

/** The body of `POST /control/agents/:agent/kill`, which may be left out. */
export const AgentKillRequest = z.strictObject({
  by: who.optional(),
  /** Also cancels what waits. */
  queued: z.boolean().optional(),
});
export type AgentKillRequest = z.infer<typeof AgentKillRequest>;

/** `POST /control/agents/:agent/kill`: ids of runs. */
export const AgentKillAnswer = z.object({
  agent,
  killed: z.array(z.string()),
  cancelled: z.array(z.string()),
  /** Those that could not be killed. */
  failed: z.array(z.string()),
});
export type AgentKillAnswer = z.infer<typeof AgentKillAnswer>;

/** `GET /control/queue`, in the order in which runs start. */
export const QueueAnswer = z.object({
  queue: z.array(
    z.object({
      run: RunAnswer,
      /** What it waits for, in a sentence. */
      waitsFor: z.string(),
    }),
  ),
});
export type QueueAnswer = z.infer<typeof QueueAnswer>;

/** `GET /control/locks`, sorted by key. Times are ms since the epoch. */
export const LocksAnswer = z.object({
  locks: z.array(
    z.object({
      resourceKey: z.string(),
      run: z.string(),
      agent,
      heldSince: time,
      expiresAt: time,
      /** How many runs wait in line for it. */
      waiting: z.int().nonnegative(),
    } satisfies Record<keyof ListedLock, z.ZodType>),
  ),
});
export type LocksAnswer = z.infer<typeof LocksAnswer>;

/** `POST /control/stop`, status 202: the runtime stays stopped until somebody starts it. */
export const StoppingAnswer = z.object({ stopping: z.literal(true) });
export type StoppingAnswer = z.infer<typeof StoppingAnswer>;
