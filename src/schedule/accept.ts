import { AlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import { splitTrigger, type Trigger } from "../core/trigger.ts";
import type { CheckRoom } from "./accept-deliveries.ts";
import { whyNever } from "./capacity.ts";
import { whyNotToday } from "./day-budget.ts";
import { refuseDisabled, refusePaused, refuseUnknownAgent, type Standing } from "./holds.ts";
import type { LiveRelease } from "./ports.ts";
import type { RunQueuePorts } from "./run-queue.ts";

/** Under what a trigger is accepted. */
export interface Terms {
  readonly release: LiveRelease;
  readonly standing: Standing;
}

/**
 * Stores a trigger given by hand, in state `queued`.
 * @throws AlError `unknown-agent`, `agent-disabled`, `paused`, `over-budget` (user), `queue-full` (transient).
 */
export async function acceptManual(
  { store, clock }: RunQueuePorts,
  { agent, trigger, id }: { agent: string; trigger: Trigger; id: string },
  terms: Terms,
): Promise<Run> {
  refuseOff(agent, terms);
  refusePaused(terms.standing, agent);
  await createRoomCheck({ store, clock }, terms)(agent, 0);
  const run = { id, agent, createdAt: clock.now(), reruns: 0 };
  await store.accept({ ...run, trigger });
  return { ...run, trigger: splitTrigger(trigger).facts, state: "queued" };
}

/**
 * Refuses a run of an agent that can never start, has no place in the queue, or none in the budget of
 * the day. What waits is counted once per agent: for work during which nothing else is accepted.
 * @throws AlError `unknown-agent`, `agent-disabled`, `over-budget` (user), `queue-full` (transient).
 */
export function createRoomCheck(
  { store, clock }: Pick<RunQueuePorts, "store" | "clock">,
  terms: Terms,
): CheckRoom {
  const counts = new Map<string, number>();
  const size = terms.release.project.workQueueSize;
  return async (agent, ahead) => {
    refuseOff(agent, terms);
    const count = counts.get(agent) ?? (await store.countQueued({ agent, upTo: size }));
    counts.set(agent, count);
    const waiting = count + ahead;
    if (waiting >= size) {
      const message = `agent ${agent} has ${size} runs waiting, as many as workQueueSize allows`;
      throw new AlError(message, { code: "queue-full", blame: "transient" });
    }
    const found = terms.release.agents.get(agent);
    const over = found && (await whyNotToday({ store, clock }, found, waiting));
    if (over === undefined) return;
    throw new AlError(over, {
      code: "over-budget",
      blame: "user",
      hint: `Wait, or raise it in the [limits] of ${agent}/agent-config.toml, commit, and: al apply`,
    });
  };
}

function refuseOff(agent: string, { release, standing }: Terms): void {
  refuseUnknownAgent(release, agent);
  const never = whyNever(agent, release);
  if (never !== undefined) throw new AlError(never, { code: "agent-disabled", blame: "user" });
  refuseDisabled(standing, agent);
}
