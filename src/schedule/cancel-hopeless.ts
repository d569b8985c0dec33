import type { Run } from "../core/run.ts";
import { type Situation, whyNever } from "./capacity.ts";
import { whyNotToday } from "./day-budget.ts";
import { whyHeld } from "./holds.ts";
import type { RunQueuePorts } from "./run-queue.ts";

/** Ended by one transaction. */
const AT_ONCE = 500;

/**
 * Ends queued runs that can never start under this release, or are over their agent's budget of the day;
 * those that are held wait whatever the budget is. `heads` are the store's. True when there was one.
 */
export async function cancelHopeless(
  ports: Pick<RunQueuePorts, "store" | "clock" | "logger">,
  situation: Situation,
  heads: readonly Run[],
): Promise<boolean> {
  let found = false;
  for (const { agent } of heads) {
    const detail = await whyHopeless(ports, situation, agent);
    if (detail === undefined) continue;
    await cancelQueued(ports, agent, detail);
    found = true;
  }
  return found;
}

/** Ends all queued runs of an agent, with the reason; their ids, oldest first. */
export async function cancelQueued(
  { store, clock, logger }: Pick<RunQueuePorts, "store" | "clock" | "logger">,
  agent: string,
  detail: string,
): Promise<readonly string[]> {
  const cancelled: string[] = [];
  for (;;) {
    const end = { outcome: "cancelled", endedAt: clock.now(), detail } as const;
    const ids = await store.finishQueued(agent, end, AT_ONCE);
    for (const run of ids) logger.warn({ run, agent, detail }, "queued run cancelled");
    cancelled.push(...ids);
    if (ids.length < AT_ONCE) return cancelled;
  }
}

async function whyHopeless(
  { store, clock }: Pick<RunQueuePorts, "store" | "clock">,
  { release, standing }: Situation,
  name: string,
): Promise<string | undefined> {
  const never = whyNever(name, release);
  if (never !== undefined || whyHeld(standing, name) !== undefined) return never;
  const agent = release.agents.get(name);
  return agent && whyNotToday({ store, clock }, agent);
}
