import type { Clock } from "../base/clock.ts";
import type { ReleasedAgent } from "../core/released.ts";
import { type DayUse, dayOf, hasDayLimit, overDayLimit } from "../core/run-limits.ts";
import type { RunStore } from "./ports.ts";

/** Longer than any day, one with a change of the clocks included. */
const LOOK_BACK_MS = 26 * 60 * 60 * 1000;

interface Ports {
  readonly store: RunStore;
  readonly clock: Clock;
}

/** What an agent's runs that started today came to, in the agent's timezone. */
export async function usedToday({ store, clock }: Ports, agent: ReleasedAgent): Promise<DayUse> {
  const now = clock.now();
  const today = dayOf(now, agent.timezone);
  const recent = await store.startedSince(agent.name, now - LOOK_BACK_MS);
  const runs = recent.filter(({ startedAt = now }) => dayOf(startedAt, agent.timezone) === today);
  const cost = runs.reduce((sum, { usage }) => sum + (usage?.cost ?? 0), 0);
  return { runs: runs.length, cost };
}

/**
 * Why an agent may start no run until the day is over; undefined when it may. `waiting` runs count as
 * if they had started.
 */
export async function whyNotToday(
  ports: Ports,
  agent: ReleasedAgent,
  waiting = 0,
): Promise<string | undefined> {
  if (!hasDayLimit(agent.limits)) return undefined;
  const { runs, cost } = await usedToday(ports, agent);
  const over = overDayLimit(agent.limits, { runs: runs + waiting, cost });
  if (over === undefined) return undefined;
  return `agent ${agent.name} is over its budget: ${over} (days end at midnight, ${agent.timezone ?? "UTC"})`;
}
