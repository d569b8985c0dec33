import { AlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import { splitTrigger, type Trigger } from "../core/trigger.ts";
import { hasFreeRunner, queuedRuns, whyNever } from "./capacity.ts";
import type { LiveRelease } from "./ports.ts";
import type { RunQueuePorts } from "./run-queue.ts";

/**
 * Stores a trigger given by hand, in state `queued`.
 * @throws AlError `unknown-agent`, `agent-disabled` (user), `queue-full` (transient).
 */
export async function acceptManual(
  { store, clock }: RunQueuePorts,
  { agent, trigger }: { agent: string; trigger: Trigger },
  { release, id }: { release: LiveRelease; id: string },
): Promise<Run> {
  const never = whyNever(agent, release);
  if (never !== undefined) {
    const code = release.agents.has(agent) ? "agent-disabled" : "unknown-agent";
    throw new AlError(never, { code, blame: "user" });
  }
  const size = release.project.workQueueSize;
  if (queuedRuns(await store.unfinished(), agent) >= size) {
    const message = `agent ${agent} has ${size} runs waiting, as many as workQueueSize allows`;
    throw new AlError(message, { code: "queue-full", blame: "transient" });
  }
  const run = { id, agent, createdAt: clock.now(), reruns: 0 };
  await store.accept({ ...run, trigger });
  return { ...run, trigger: splitTrigger(trigger).facts, state: "queued" };
}

/** Stores a schedule's tick if a run of it could start at once; otherwise it is skipped, with a warning. */
export async function acceptTick(
  { store, clock, logger, ready }: RunQueuePorts,
  { agent, tick, id }: { agent: string; tick: number; id: string },
  release: LiveRelease,
): Promise<boolean> {
  const found = release.agents.get(agent);
  if (!found) return false;
  const free = hasFreeRunner(await store.unfinished(), found, release);
  if (!free || !ready()) {
    const reason = free ? "the runtime is not ready" : "no free runner";
    logger.warn({ agent, tick, reason }, "scheduled run skipped");
    return false;
  }
  const key = `schedule/${agent}/${tick}`;
  const trigger = { kind: "schedule" } as const;
  return store.accept({ id, agent, trigger, createdAt: clock.now(), reruns: 0, key });
}

/** Ends queued runs that can never start under this release. */
export async function cancelHopeless(ports: RunQueuePorts, release: LiveRelease): Promise<void> {
  const { store, clock, logger } = ports;
  for (const run of await store.unfinished()) {
    const detail = run.state === "queued" ? whyNever(run.agent, release) : undefined;
    if (detail === undefined) continue;
    logger.warn({ run: run.id, agent: run.agent, detail }, "queued run cancelled");
    await store.finished(run.id, { outcome: "cancelled", endedAt: clock.now(), detail });
  }
}
