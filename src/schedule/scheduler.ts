import type { ReleasedAgent } from "../core/released.ts";
import type { Run } from "../core/run.ts";
import { type DayUse, hasDayLimit, overDayLimit, type RunLimits } from "../core/run-limits.ts";
import type { Trigger } from "../core/trigger.ts";
import type { DeliveryOutcome } from "../core/webhook-outcome.ts";
import type { CallRequest } from "./accept-call.ts";
import type { Delivery } from "./accept-deliveries.ts";
import { activeRuns, queuedRuns } from "./capacity.ts";
import { type CronSet, createCronSet } from "./cron-set.ts";
import { usedToday } from "./day-budget.ts";
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
   * @throws AlError `unknown-agent`, `agent-disabled` (user), `queue-full`, `not-serving` (transient).
   */
  trigger(agent: string, trigger?: Trigger): Promise<Run>;
  /**
   * Accepts a run's call of another agent; durable when resolved.
   * @throws AlError as `trigger`, `self-call`, `call-depth` (user); `not-serving` also while it starts.
   */
  call(caller: Run, request: CallRequest): Promise<Run>;
  /**
   * Accepts a delivery with its runs, once; durable when resolved.
   * @throws AlError `not-serving` (transient), and then nothing was stored.
   */
  deliver(delivery: Delivery): Promise<DeliveryOutcome>;
  /** Ends a run. True only when it was running, or queued, and is not any more. `why` is recorded. */
  kill(runId: string, why?: string): Promise<boolean>;
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
  const cron = createCronSet({ ...ports, onTick: (agent, tick) => queue.onTick(agent, tick) });
  const reload = async () => {
    const release = await releases.current();
    if (release) cron.follow(release.agents.values());
    queue.poke();
  };
  return {
    async start() {
      await queue.adoptAll();
      await reload();
    },
    reload,
    poke: () => queue.poke(),
    trigger: (agent, trigger = { kind: "manual" }) => queue.accept(agent, trigger),
    call: (caller, request) => queue.call(caller, request),
    deliver: (delivery) => queue.deliver(delivery),
    kill: (runId, why) => queue.kill(runId, why),
    agents: () => agentStates(ports, cron),
    activeRuns: async () => activeRuns(await store.unfinished()),
    isSettled: () => queue.isSettled(),
    async stop() {
      await Promise.all([queue.stop(), cron.stop()]);
    },
  };
}

async function agentStates(ports: RunQueuePorts, cron: CronSet): Promise<AgentState[]> {
  const { store, releases } = ports;
  const [release, unfinished] = await Promise.all([releases.current(), store.unfinished()]);
  const states = [...(release?.agents.values() ?? [])].map(async (agent) => {
    const { name, schedule, timezone, scale } = agent;
    const nextRunAt = cron.nextTick(name);
    return {
      name,
      ...(schedule !== undefined && { schedule }),
      ...(timezone !== undefined && { timezone }),
      ...(nextRunAt !== undefined && { nextRunAt }),
      scale,
      running: activeRuns(unfinished, name),
      queued: queuedRuns(unfinished, name),
      enabled: scale > 0,
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
