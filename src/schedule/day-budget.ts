import type { Clock } from "../base/clock.ts";
import type { ReleasedAgent } from "../core/released.ts";
import { type DayUse, hasDayLimit, overDayLimit, startOfDay } from "../core/run-limits.ts";
import type { RunStore } from "./ports.ts";

interface Ports {
  readonly store: RunStore;
  readonly clock: Clock;
}

/** What an agent's runs that started today came to, in the agent's timezone. */
export function usedToday({ store, clock }: Ports, agent: ReleasedAgent): Promise<DayUse> {
  return store.usedSince(agent.name, startOfDay(clock.now(), agent.timezone));
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
