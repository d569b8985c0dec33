import { z } from "zod";
import type { Json } from "../base/canonical-json.ts";
import { outcomes, type Run, runStates } from "../core/run.ts";
import { RunLimits, TokenUsage } from "../core/run-limits.ts";

const time = z.int().nonnegative();

/** Since when (ms since the epoch) somebody keeps a scheduler or an agent from starting runs. */
export const HoldAnswer = z.object({ since: time, by: z.string().optional() }).meta({ id: "Hold" });
export type HoldAnswer = z.infer<typeof HoldAnswer>;

/** A run, as the control API shows it. Times are ms since the epoch. */
export const RunAnswer = z
  .object({
    id: z.string(),
    agent: z.string(),
    /** schedule, webhook, call or manual. */
    trigger: z.string(),
    /** Of a webhook: its type. */
    source: z.string().optional(),
    /** Of a call: the agent that called. */
    caller: z.string().optional(),
    /** Of a start by hand: who, as their `al` says. */
    by: z.string().optional(),
    state: z.enum(runStates),
    createdAt: time,
    startedAt: time.optional(),
    endedAt: time.optional(),
    outcome: z.enum(outcomes).optional(),
    exitCode: z.int().optional(),
    /** Why it ended so, where the outcome does not say it all. */
    detail: z.string().optional(),
    /** What its agent last said it is doing. */
    statusText: z.string().optional(),
    rerunOf: z.string().optional(),
    /** As far as its log has told. */
    usage: TokenUsage.optional(),
    revision: z.string().optional(),
    release: z.string().optional(),
    /** Reference, which ends in the image's spec hash. */
    image: z.string().optional(),
    /** The image, as the host's engine calls it. */
    imageId: z.string().optional(),
    /** Versions by `type:instance`, never values. */
    credentialVersions: z.record(z.string(), z.string()).optional(),
    limits: RunLimits.optional(),
    container: z.string().optional(),
  })
  .meta({ id: "Run" });
export type RunAnswer = z.infer<typeof RunAnswer>;

/** An agent, as the control API shows it. */
export const AgentAnswer = z
  .object({
    name: z.string(),
    schedule: z.string().optional(),
    timezone: z.string().optional(),
    nextRunAt: time.optional(),
    scale: z.int(),
    running: z.int(),
    queued: z.int(),
    /** False when its scale is 0. */
    enabled: z.boolean(),
    /** Nothing of it starts. */
    paused: HoldAnswer.optional(),
    /** No trigger of it is accepted. */
    disabled: HoldAnswer.optional(),
    limits: RunLimits.optional(),
    /** Runs and dollars of the day so far, for an agent with a limit of the day. */
    today: z.object({ runs: z.int(), cost: z.number() }).optional(),
    /** Why it starts no run until the day is over. */
    overBudget: z.string().optional(),
  })
  .meta({ id: "Agent" });
export type AgentAnswer = z.infer<typeof AgentAnswer>;

/** `GET /control/status`. */
export const StatusAnswer = z.object({
  report: z.object({
    release: z.string(),
    credentials: z.string(),
    revision: z.string(),
    ready: z.boolean(),
    reason: z.string().optional(),
    activeRuns: z.int(),
    settled: z.boolean(),
    /** Only with `?rules=look`: whether the network's rules are on the host at this moment. */
    rules: z.enum(["in-place", "missing"]).optional(),
    /** The newest damaged database that is kept, as long as its file is there. */
    damaged: z.object({ since: time, file: z.string() }).optional(),
  }),
  /** Nothing starts. */
  paused: HoldAnswer.optional(),
  agents: z.array(AgentAnswer),
  /** The latest, newest first. */
  runs: z.array(RunAnswer),
});
export type StatusAnswer = z.infer<typeof StatusAnswer>;

/** `POST /control/rules`: the network's rules are in place; `restored` when they had to be put back. */
export const RulesAnswer = z.object({ restored: z.boolean() });
export type RulesAnswer = z.infer<typeof RulesAnswer>;

const json = z
  .custom<Json>()
  .meta({ type: ["object", "array", "string", "number", "boolean", "null"] });

/** The body of `POST /control/trigger/:agent`, which may be left out. */
export const TriggerRequest = z.strictObject({
  /** Who starts it: `ann@laptop`. */
  by: z.string().min(1).max(200).optional(),
  /** What a webhook would have brought; the run then starts as by one. */
  context: z.record(z.string(), json).optional(),
});
export type TriggerRequest = z.infer<typeof TriggerRequest>;

/** `POST /control/trigger/:agent`, status 202. */
export const TriggerAnswer = z.object({ runId: z.string() });
export type TriggerAnswer = z.infer<typeof TriggerAnswer>;

/** `POST /control/kill/:run`: 200 when it was killed, 409 otherwise. */
export const KillAnswer = z.object({ killed: z.literal(true) });
export type KillAnswer = z.infer<typeof KillAnswer>;

/** `POST /control/reload`. */
export const ReloadAnswer = z.object({ ok: z.literal(true) });
export type ReloadAnswer = z.infer<typeof ReloadAnswer>;

/** `GET /control/runs`, newest first; `GET /control/instances`, oldest first. */
export const RunsAnswer = z.object({ runs: z.array(RunAnswer) });
export type RunsAnswer = z.infer<typeof RunsAnswer>;

/** One line of the ndjson of `GET /api/logs/agents/:agent/:run?`; the last one of a finished run is `end`. */
export const LogEvent = z
  .discriminatedUnion("kind", [
    z.object({
      kind: z.literal("line"),
      run: z.string(),
      ts: z.string(),
      stream: z.enum(["stdout", "stderr", "runtime"]),
      text: z.string(),
      /** Give it back as `cursor` to read on after this line. */
      cursor: z.int().nonnegative(),
    }),
    z.object({ kind: z.literal("end"), run: RunAnswer, cursor: z.int().nonnegative() }),
  ])
  .meta({ id: "LogEvent" });
export type LogEvent = z.infer<typeof LogEvent>;

/** One line of the ndjson of `GET /api/logs/scheduler`. */
export const RuntimeLogEvent = z
  .object({
    level: z.enum(["debug", "info", "warn", "error"]),
    time,
    message: z.string(),
    /** Facts beside the message, by name. */
    fields: z.record(z.string(), z.unknown()),
    /** Give it back as `cursor` to read on after this line. */
    cursor: z.int().nonnegative(),
  })
  .meta({ id: "RuntimeLogLine" });
export type RuntimeLogEvent = z.infer<typeof RuntimeLogEvent>;

/** Every answer with a status of 400 and above. */
export const ErrorAnswer = z
  .object({
    error: z.string(),
    code: z.string().optional(),
    hint: z.string().optional(),
  })
  .meta({ id: "Error" });
export type ErrorAnswer = z.infer<typeof ErrorAnswer>;

/** A run without what only the runtime needs; a trigger's context may be large and is left out. */
export function runAnswer(run: Run): RunAnswer {
  const { trigger, start, made, ...rest } = run;
  const { kind, ...whose } = trigger;
  return RunAnswer.parse({ ...start, ...made, ...rest, ...whose, trigger: kind });
}
