import type { RunLimits, TokenUsage } from "./run-limits.ts";
import type { Trigger, TriggerFacts } from "./trigger.ts";

/**
 * How a run ended. `rerun`: done, and wants to run again (exit 42). `failed`: any other exit.
 * `timed-out`: by itself (124) or by us. `killed`: on request. `over-budget`: by us, at a limit of its
 * agent. `interrupted`: its container or its host went away under it. `not-started`: no container could be made. `cancelled`: dropped from the queue,
 * because its agent is gone or disabled.
 */
export const outcomes = [
  "completed",
  "rerun",
  "failed",
  "timed-out",
  "killed",
  "over-budget",
  "interrupted",
  "not-started",
  "cancelled",
] as const;
export type Outcome = (typeof outcomes)[number];

/** A run's life, in order. `starting` is the intent, noted before anything is made. */
export const runStates = ["queued", "starting", "running", "finished"] as const;
export type RunState = (typeof runStates)[number];

/** Why we end a run ourselves. */
export type KillReason = "timed-out" | "killed" | "over-budget";

/** Longest text of a status signal, in characters. */
export const MAX_STATUS_CHARACTERS = 1000;

/** One accepted trigger and what became of it. Times are ms since the epoch. */
export interface Run {
  /** ULID: sorts by time of acceptance. */
  readonly id: string;
  readonly agent: string;
  readonly trigger: TriggerFacts;
  readonly state: RunState;
  readonly createdAt: number;
  /** The run that asked for this one. */
  readonly rerunOf?: string;
  /** How many reruns came before it in its chain. */
  readonly reruns: number;
  /** What it was started with; from `starting` on. */
  readonly start?: StartFacts;
  /** From when its container is there. */
  readonly made?: MadeFrom;
  readonly startedAt?: number;
  /** As far as its log has told. */
  readonly usage?: TokenUsage;
  readonly killReason?: KillReason;
  /** What the one who had it killed said. */
  readonly killDetail?: string;
  /** What the agent last said it is doing. */
  readonly statusText?: string;
  /** True once the run asked the gateway to be run again. */
  readonly rerunAsked?: boolean;
  readonly endedAt?: number;
  readonly outcome?: Outcome;
  readonly exitCode?: number;
  /** Why it ended so, where the outcome does not say it all. */
  readonly detail?: string;
}

/** What a run was started with: it keeps these whatever is deployed later. */
export interface StartFacts {
  readonly revision: string;
  readonly release: string;
  readonly image: string;
  /** Credential set hash. */
  readonly credentials: string;
  readonly container: string;
  readonly timeoutSeconds: number;
  readonly limits?: RunLimits;
}

/** What a run's container was made from, for the record. */
export interface MadeFrom {
  /** The image, as the host's engine calls it. */
  readonly imageId: string;
  /** Versions by `type:instance`: keyed hashes, which say nothing of the values. */
  readonly credentialVersions: Readonly<Record<string, string>>;
}

/** A run that is found under way, and whose record is lost or says that it was never started. */
export interface FoundRun {
  readonly id: string;
  readonly agent: string;
  readonly createdAt: number;
  readonly startedAt: number;
  readonly start: StartFacts;
}

/** A start about to happen. */
export interface StartIntent extends StartFacts {
  /** SHA-256 of the run's secret, hex. */
  readonly secretHash: string;
}

/** A trigger to accept. */
export interface NewRun {
  readonly id: string;
  readonly agent: string;
  readonly trigger: Trigger;
  readonly createdAt: number;
  readonly reruns: number;
  readonly rerunOf?: string;
  /** Accepted once only: a schedule's tick, a delivery. */
  readonly key?: string;
}

/** Why a run is to be killed, and what the one who asks says. */
export interface KillOrder {
  readonly reason: KillReason;
  readonly detail?: string;
}

/** The end of a run. */
export interface FinishedRun {
  readonly outcome: Outcome;
  readonly endedAt: number;
  readonly exitCode?: number;
  readonly detail?: string;
  /** When the container really started, if nobody noted it before. */
  readonly startedAt?: number;
}

/** Which runs to list. */
export interface RunFilter {
  readonly agent?: string;
  readonly limit: number;
}
