import type { Json } from "../base/canonical-json.ts";
import type { CallState } from "../core/call-state.ts";
import type { Hold } from "../core/hold.ts";
import type { RuntimeReport } from "../core/observed.ts";
import type { Run, RunFilter } from "../core/run.ts";
import type { DayUse, RunLimits } from "../core/run-limits.ts";
import type {
  AcquireAnswer,
  ListedLock,
  LockAnswer,
  LockOptions,
  NotHeld,
} from "../core/run-lock.ts";
import type { Trigger } from "../core/trigger.ts";

/** What an agent of the live release is doing. */
export interface AgentView {
  readonly name: string;
  readonly schedule?: string;
  readonly timezone?: string;
  /** Milliseconds since the epoch. */
  readonly nextRunAt?: number;
  readonly scale: number;
  readonly running: number;
  readonly queued: number;
  readonly enabled: boolean;
  /** By an operator: nothing of it starts. */
  readonly paused?: Hold;
  /** By an operator: it takes no triggers either. */
  readonly disabled?: Hold;
  readonly limits?: RunLimits;
  readonly today?: DayUse;
  /** Why it starts no run until the day is over. */
  readonly overBudget?: string;
}

/** A run that waits. */
export interface QueuedRun {
  readonly run: Run;
  /** One sentence for a person. */
  readonly waitsFor: string;
}

/** What killing the runs of an agent came to: their ids. */
export interface KilledRuns {
  readonly killed: readonly string[];
  readonly cancelled: readonly string[];
  readonly failed: readonly string[];
}

/** The scheduler, as the gateway needs it. Errors are AlError with the scheduler's codes. */
export interface SchedulePort {
  /** `trigger` is what it is told of; by hand. */
  trigger(agent: string, trigger: Trigger): Promise<Run>;
  /** Makes a run of the target; the id is the call's. `requestId` is the same for each attempt at it. */
  call(
    caller: Run,
    request: { readonly target: string; readonly context: Json; readonly requestId?: string },
  ): Promise<Run>;
  /** True only when the run was running, or queued, and is not any more. `why` is recorded. */
  kill(runId: string, why?: string): Promise<boolean>;
  /** Also cancels what waits, with `queued`. */
  killAgent(
    agent: string,
    options: { readonly queued: boolean; readonly why?: string },
  ): Promise<KilledRuns>;
  /** Nothing starts any more, of all agents or of one; the first hold stays. Idempotent, durable. */
  pause(target: { readonly agent?: string; readonly by?: string }): Promise<Hold>;
  /** False when it was not paused. */
  resume(target: { readonly agent?: string }): Promise<boolean>;
  /** No trigger of the agent is accepted any more; the first hold stays. Idempotent, durable. */
  disable(target: { readonly agent: string; readonly by?: string }): Promise<Hold>;
  /** False when it was not disabled. */
  enable(target: { readonly agent: string }): Promise<boolean>;
  /** Of the scheduler as a whole. */
  paused(): Promise<Hold | undefined>;
  /** All runs that wait, oldest first. */
  queue(): Promise<readonly QueuedRun[]>;
  agents(): Promise<readonly AgentView[]>;
  reload(): Promise<void>;
}

/** What is known of runs. */
export interface RunsPort {
  get(id: string): Promise<Run | undefined>;
  /** Newest first. */
  list(filter: RunFilter): Promise<readonly Run[]>;
  /** Starting and running ones, oldest first. */
  active(): Promise<readonly Run[]>;
  /** The unfinished run with this secret's SHA-256 (hex). */
  bySecret(secretHash: string): Promise<Run | undefined>;
}

/** The calls that runs made. */
export interface CallsPort {
  /** Undefined for a call that this run did not make. */
  look(caller: Run, callId: string): Promise<CallState | undefined>;
}

/** Locks of runs, one for each. `ttlSeconds` is the project's lockTimeout unless given. */
export interface LocksPort {
  /** Whoever does not wait never overtakes those who do. */
  acquire(run: Run, resourceKey: string, options?: LockOptions): Promise<AcquireAnswer>;
  release(run: Run, resourceKey: string): Promise<{ readonly kind: "released" } | NotHeld>;
  heartbeat(run: Run, resourceKey: string, ttlSeconds?: number): Promise<LockAnswer | NotHeld>;
  /** Sorted by key. */
  list(): Promise<readonly ListedLock[]>;
}

/** What runs say of themselves; false when the run has ended. */
export interface SignalsPort {
  askRerun(run: string): Promise<boolean>;
  setStatus(run: string, text: string): Promise<boolean>;
  setReturnValue(run: string, value: Json): Promise<boolean>;
}

/** One line of a run's output. */
export interface LogLine {
  /** RFC 3339 with nanoseconds, as the engine noted it. */
  readonly ts: string;
  /** `runtime`: our own remark, such as that the log was cut. */
  readonly stream: "stdout" | "stderr" | "runtime";
  readonly text: string;
  /** Byte position in the log after this line: reading on from there gives the next one. */
  readonly cursor: number;
}

/** Logs of runs; a run without output has an empty one. */
export interface LogsPort {
  /** Complete lines from a byte position on, not all at once; empty at the present end. */
  read(run: Run, cursor: number): Promise<readonly LogLine[]>;
  /** The position where the last `lines` lines begin. */
  tail(run: Run, lines: number): Promise<number>;
}

/** One line of what the runtimes of a project said of themselves. */
export interface RuntimeLogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Reading on from there gives the next line. */
  readonly cursor: number;
}

/** The runtimes' own log. */
export interface RuntimeLogPort {
  /** Lines after a cursor, 0 for the oldest that is kept; not all at once, and empty at the present end. */
  read(cursor: number): Promise<readonly RuntimeLogLine[]>;
  /** The cursor after which the last `lines` come. */
  tail(lines: number): Promise<number>;
}

/** Credential values of a run, by type, instance and field; reveals secrets. */
export interface RunCredentialsPort {
  read(run: Run): Promise<Readonly<Record<string, Record<string, Record<string, string>>>>>;
}

/** What the runtime says of itself. */
export interface RuntimePort {
  /** True when it is live, and its store can be written. */
  serving(): Promise<boolean>;
  /** With `rules` it looks at the network's rules first, which takes a moment and changes nothing. */
  report(options?: { readonly rules?: boolean }): Promise<RuntimeReport>;
  /** Puts the network's rules in place and proves them from inside; true when some were missing. */
  restoreRules(): Promise<boolean>;
  /** Has the runtime stopped, and stay so until somebody starts it; resolves before it ends. */
  stop(options: { readonly by?: string }): Promise<void>;
}
