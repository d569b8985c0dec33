import type { Hold, HoldKey, StandingHold } from "../core/hold.ts";
import type { ReleasedAgent, ReleasedProject } from "../core/released.ts";
import type {
  FinishedRun,
  KillOrder,
  MadeFrom,
  NewRun,
  Run,
  RunFilter,
  StartIntent,
} from "../core/run.ts";
import type { DayUse, TokenUsage } from "../core/run-limits.ts";
import type { Trigger } from "../core/trigger.ts";

/**
 * Durable memory of runs. A promise resolves only when the change survives a power cut, and every
 * call is atomic. One scheduler writes at a time; readers may be many.
 */
export interface RunStore {
  /** Accepts a run in state `queued`. False when its `key` was accepted before: nothing is stored then. */
  accept(run: NewRun): Promise<boolean>;
  /** queued or starting -> starting, with everything the start will use. Clears an earlier intent. */
  starting(id: string, intent: StartIntent): Promise<void>;
  /** starting -> queued, for a start that had no effect. False for one that is to be killed: nothing changes. */
  requeue(id: string): Promise<boolean>;
  /** starting -> running. */
  running(id: string, startedAt: number): Promise<void>;
  /** Notes what an unfinished run's container was made from. */
  made(id: string, from: MadeFrom): Promise<void>;
  /** Notes what an unfinished run has used so far. */
  used(id: string, usage: TokenUsage): Promise<void>;
  /** Notes why a run is about to be killed; the first reason stays. */
  killing(id: string, order: KillOrder): Promise<void>;
  /** Any unfinished state -> finished; accepts `rerun` in the same transaction. Repeating changes nothing. */
  finished(id: string, result: FinishedRun, rerun?: NewRun): Promise<void>;
  /** queued -> finished, for the agent's oldest queued runs, `limit` of them at most; their ids, oldest first. */
  finishQueued(agent: string, result: FinishedRun, limit: number): Promise<readonly string[]>;
  get(id: string): Promise<Run | undefined>;
  /** A run's trigger with its context, which is kept until the run has ended. */
  trigger(id: string): Promise<Trigger>;
  /** Queued, starting and running runs, oldest first. */
  unfinished(): Promise<readonly Run[]>;
  /** Starting and running runs, oldest first. */
  active(): Promise<readonly Run[]>;
  /**
   * The oldest queued run of each agent that has one. First come agents that had no start yet, then
   * those whose latest start (`starting`) is longest ago; of equal ones the oldest run.
   */
  heads(): Promise<readonly Run[]>;
  /** Of the queued runs that this run called, the oldest of each agent; oldest first. */
  calledBy(run: string): Promise<readonly Run[]>;
  /** How many runs of an agent are queued; counts no further than `upTo`, if given. */
  countQueued(filter: { readonly agent: string; readonly upTo?: number }): Promise<number>;
  /** True when a run of the agent is queued whose trigger is of this kind. */
  hasQueued(agent: string, kind: Trigger["kind"]): Promise<boolean>;
  /** Newest first. */
  list(filter: RunFilter): Promise<readonly Run[]>;
  /** The run that was accepted with this key, finished or not. */
  byKey(key: string): Promise<Run | undefined>;
  /** What an agent's runs that started at that time or later, or are about to, came to so far. */
  usedSince(agent: string, since: number): Promise<DayUse>;
  /** The unfinished run whose secret has this SHA-256 (hex). */
  bySecret(secretHash: string): Promise<Run | undefined>;
}

/** Durable memory of what operators hold, like {@link RunStore}. */
export interface HoldStore {
  /** All that stand, sorted by kind and agent; the whole scheduler's before those of agents. */
  list(): Promise<readonly StandingHold[]>;
  /** Stores a hold where none stands; what stands then. */
  put(key: HoldKey, hold: Hold): Promise<Hold>;
  /** False when none stood. */
  lift(key: HoldKey): Promise<boolean>;
}

/** Durable memory of how far schedules are, like {@link RunStore}. Times are ms since the epoch. */
export interface TickStore {
  /** Up to when (inclusive) an agent's ticks were dealt with; undefined when not by this very schedule. */
  handledUntil(agent: string, schedule: string): Promise<number | undefined>;
  /** Notes it, in place of what was noted of the agent. */
  handled(
    agent: string,
    upTo: { readonly schedule: string; readonly until: number },
  ): Promise<void>;
  /** Forgets all agents but these. */
  keep(agents: ReadonlySet<string>): Promise<void>;
}

/** What is there of a run. `created` has never been started. */
export type RunPresence = "absent" | "created" | "started";

/** How a run's container ended; `gone` when nobody can say any more. */
export type RunExit =
  | {
      readonly kind: "exited";
      readonly code: number;
      readonly outOfMemory: boolean;
      readonly startedAt: number;
      readonly endedAt: number;
    }
  | { readonly kind: "gone" };

/** What making a run's container needs. The secret's hash is stored before it gets here. */
export interface CreateRequest {
  /** In state `starting`. */
  readonly run: Run;
  /** With its context. */
  readonly trigger: Trigger;
  readonly agent: ReleasedAgent;
  readonly secret: string;
}

/**
 * Containers of runs. Every call is idempotent and finds what an earlier process made, by the run's
 * container name. Errors are AlError; blame `transient` or `bug` may be tried again.
 */
export interface RunnerPort {
  /** Makes the container with all its files, and does not start it; one that is there is left alone. */
  create(request: CreateRequest, signal: AbortSignal): Promise<void>;
  /** What the container was made from, as far as can be told afterwards. */
  madeFrom(run: Run, signal: AbortSignal): Promise<MadeFrom>;
  /** Starts a created container; one that was started before is left alone. */
  start(run: Run, signal: AbortSignal): Promise<void>;
  look(run: Run, signal: AbortSignal): Promise<RunPresence>;
  /**
   * Copies the run's output and resolves when its container has ended; the run goes on when aborted.
   * `onUsage` is told what the output says the run has used; not again what was copied before.
   */
  wait(
    run: Run,
    options: { readonly signal: AbortSignal; readonly onUsage: (usage: TokenUsage) => void },
  ): Promise<RunExit>;
  /** Ends the container at once. True when it was running before and is not now. */
  kill(run: Run, signal: AbortSignal): Promise<boolean>;
  /** Removes everything of a finished run but its log. */
  remove(run: Run, signal: AbortSignal): Promise<void>;
  /** Removes what earlier processes left of runs that are not in `unfinished`; what runs is left alone. */
  sweep(unfinished: ReadonlySet<string>, signal: AbortSignal): Promise<void>;
}

/** The release that new runs start from. */
export interface LiveRelease {
  readonly revision: string;
  readonly release: string;
  /** Credential set hash. */
  readonly credentials: string;
  readonly project: ReleasedProject;
  /** By name. */
  readonly agents: ReadonlyMap<string, ReleasedAgent>;
}

/** Where the live release is read, afresh at each call. */
export interface ReleasePort {
  /** Undefined when this process may start nothing (any more). */
  current(): Promise<LiveRelease | undefined>;
}
