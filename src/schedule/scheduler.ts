import type { Hold } from "../core/hold.ts";
import type { ReleasedAgent } from "../core/released.ts";
import type { Run } from "../core/run.ts";
import { type DayUse, hasDayLimit, overDayLimit, type RunLimits } from "../core/run-limits.ts";
import type { Trigger } from "../core/trigger.ts";
import type { DeliveryOutcome } from "../core/webhook-outcome.ts";
import type { CallRequest } from "./accept-call.ts";
import type { Delivery } from "./accept-deliveries.ts";
import { activeRuns } from "./capacity.ts";
import { type CronSet, createCronSet } from "./cron-set.ts";
import { usedToday } from "./day-budget.ts";
import type { KillAgent, KilledRuns } from "./end-runs.ts";
import { createHolds, standingHolds } from "./holds.ts";
import type { QueuedRun } from "./queue-view.ts";
import { RunQueue, type RunQueuePorts } from "./run-queue.ts";

/** An agent of the live release, as it stands. */
export interface AgentState {
  readonly name: string;
  readonly schedule?: string;
  readonly timezone?: string;
  /** Milliseconds since the epoch. */
  readonly nextRunAt?: number;
  readonly scale: number;
  readonly running: number;
  readonly queued: number;
  /** False when its scale is 0. */
  readonly enabled: boolean;
  /** By an operator; then nothing of it starts. */
  readonly paused?: Hold;
  /** By an operator; then it takes no triggers either. */
  readonly disabled?: Hold;
  readonly limits?: RunLimits;
  /** What its runs that started today came to; for an agent with a limit of the day. */
  readonly today?: DayUse;
  /** Why it starts no run until the day is over. */
  readonly overBudget?: string;
}

/** Decides when agents run, and carries their runs. */
export interface Scheduler {
  /** Adopts what an earlier process left, then takes triggers. */
  start(): Promise<void>;
  /** Follows the live release's agents and schedules. */
  reload(): Promise<void>;
  /** Starts what may start now: to be called when `ready` turns true. */
  poke(): void;
  /**
   * Accepts a trigger given by hand, `manual` by default; durable when resolved.
   * @throws AlError `unknown-agent`, `agent-disabled`, `paused`, `over-budget` (user), `queue-full`, `not-serving` (transient).
   */
  trigger(agent: string, trigger?: Trigger): Promise<Run>;
  /**
   * Accepts a run's call of another agent; durable when resolved.
   * @throws AlError as `trigger` but `paused`: then it waits; `self-call`, `call-cycle`, `call-depth` (user); `not-serving` also while it starts.
   */
  call(caller: Run, request: CallRequest): Promise<Run>;
  /**
   * Accepts a delivery with its runs, once; durable when resolved.
   * @throws AlError `not-serving` (transient), and then nothing was stored.
   */
  deliver(delivery: Delivery): Promise<DeliveryOutcome>;
  /** Ends a run. True only when it was running, or queued, and is not any more. `why` is recorded. */
  kill(runId: string, why?: string): Promise<boolean>;
  /**
   * Ends what an agent has under way, and with `queued` what waits too; `why` is recorded.
   * @throws AlError `unknown-agent` (user).
   */
  killAgent(agent: string, options: KillAgent): Promise<KilledRuns>;
  /**
   * From now on nothing starts, or nothing of one agent; what runs goes on. Durable when resolved, also
   * over restarts and deployments. Webhooks and calls are accepted and wait, triggers by hand are refused,
   * schedules stand still. Idempotent: the first hold stays. @throws AlError `unknown-agent` (user).
   */
  pause(target: { readonly agent?: string; readonly by?: string }): Promise<Hold>;
  /** False when it was not paused. @throws AlError `unknown-agent` (user). */
  resume(target: { readonly agent?: string }): Promise<boolean>;
  /** Like {@link pause}, but the agent takes no triggers either; the ticks of its schedule are nothing. */
  disable(target: { readonly agent: string; readonly by?: string }): Promise<Hold>;
  /** False when it was not disabled. @throws AlError `unknown-agent` (user). */
  enable(target: { readonly agent: string }): Promise<boolean>;
  /** The scheduler's own hold. */
  paused(): Promise<Hold | undefined>;
  /** All runs that wait, oldest first, and for what. @throws AlError `not-serving` (transient). */
  queue(): Promise<readonly QueuedRun[]>;
  /** Sorted as in the release. */
  agents(): Promise<readonly AgentState[]>;
  activeRuns(): Promise<number>;
  /** True when no run that is still being made needs another release or credentials than the live ones. */
  isSettled(): Promise<boolean>;
  /** Takes no more triggers and lets go of all runs, which go on without us. */
  stop(): Promise<void>;
}

/** A scheduler over one store; only one may be at work on a store at a time. */
export function createScheduler(ports: RunQueuePorts): Scheduler {
  const { store, releases } = ports;
  const queue = new RunQueue(ports);
  const cron = createCronSet({ ...ports, onDue: (due) => queue.onDue(due) });
  const poke = () => {
    queue.poke();
    cron.wake();
  };
  const reload = async () => {
    const release = await releases.current();
    if (release) await cron.follow(release);
    queue.poke();
  };
  return {
    async start() {
      await queue.adoptAll();
      await reload();
    },
    reload,
    poke,
    trigger: (agent, trigger = { kind: "manual" }) => queue.accept(agent, trigger),
    call: (caller, request) => queue.call(caller, request),
    deliver: (delivery) => queue.deliver(delivery),
    ...queue.end,
    ...holding(ports, { queue, poke }),
    paused: async () => (await standingHolds(ports.holds)).scheduler,
    queue: () => queue.view(),
    agents: () => agentStates(ports, cron),
    activeRuns: async () => (await store.active()).length,
    isSettled: () => queue.isSettled(),
    async stop() {
      await Promise.all([queue.stop(), cron.stop()]);
    },
  };
}

function holding(
  ports: RunQueuePorts,
  { queue, poke }: { readonly queue: RunQueue; readonly poke: () => void },
): Pick<Scheduler, "pause" | "resume" | "disable" | "enable"> {
  const holds = createHolds(ports);
  const change = async <T>(work: () => Promise<T>): Promise<T> => {
    const result = await queue.exclusive(work);
    poke();
    return result;
  };
  return {
    pause: ({ by, ...on }) => change(() => holds.put({ kind: "paused", ...on }, by)),
    resume: (on) => change(() => holds.lift({ kind: "paused", ...on })),
    disable: ({ by, ...on }) => change(() => holds.put({ kind: "disabled", ...on }, by)),
    enable: (on) => change(() => holds.lift({ kind: "disabled", ...on })),
  };
}

async function agentStates(ports: RunQueuePorts, cron: CronSet): Promise<AgentState[]> {
  const { store, releases } = ports;
  const [release, active, standing] = await Promise.all([
    releases.current(),
    store.active(),
    standingHolds(ports.holds),
  ]);
  const states = [...(release?.agents.values() ?? [])].map(async (agent) => {
    const { name, schedule, timezone, scale } = agent;
    const nextRunAt = cron.nextTick(name);
    const paused = standing.paused.get(name);
    const disabled = standing.disabled.get(name);
    return {
      name,
      ...(schedule !== undefined && { schedule }),
      ...(timezone !== undefined && { timezone }),
      ...(nextRunAt !== undefined && { nextRunAt }),
      scale,
      running: activeRuns(active, name),
      queued: await store.countQueued({ agent: name }),
      enabled: scale > 0,
      ...(paused && { paused }),
      ...(disabled && { disabled }),
      ...(await budgetOf(ports, agent)),
    };
  });
  return Promise.all(states);
}

async function budgetOf(
  ports: RunQueuePorts,
  agent: ReleasedAgent,
): Promise<Pick<AgentState, "limits" | "today" | "overBudget">> {
  const { limits } = agent;
  if (!limits) return {};
  if (!hasDayLimit(limits)) return { limits };
  const today = await usedToday(ports, agent);
  const overBudget = overDayLimit(limits, today);
  return { limits, today, ...(overBudget !== undefined && { overBudget }) };
}
