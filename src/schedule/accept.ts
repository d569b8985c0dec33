import { AlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import { dayOf } from "../core/run-limits.ts";
import { splitTrigger, type Trigger } from "../core/trigger.ts";
import { hasFreeRunner, queuedRuns, whyNever } from "./capacity.ts";
import { whyNotToday } from "./day-budget.ts";
import type { LiveRelease } from "./ports.ts";
import type { RunQueuePorts } from "./run-queue.ts";

/**
 * Stores a trigger given by hand, in state `queued`.
 * @throws AlError `unknown-agent`, `agent-disabled`, `over-budget` (user), `queue-full` (transient).
 */
export async function acceptManual(
  { store, clock }: RunQueuePorts,
  { agent, trigger }: { agent: string; trigger: Trigger },
  { release, id }: { release: LiveRelease; id: string },
): Promise<Run> {
  const waiting = queuedRuns(await store.unfinished(), agent);
  await checkRoom({ store, clock }, { agent, waiting }, release);
  const run = { id, agent, createdAt: clock.now(), reruns: 0 };
  await store.accept({ ...run, trigger });
  return { ...run, trigger: splitTrigger(trigger).facts, state: "queued" };
}

/** A schedule's tick; `tell` says why the agent's budget leaves no room for it. */
interface Tick {
  readonly agent: string;
  readonly tick: number;
  readonly id: string;
  readonly tell: (reason: string, day: string) => void;
}

/**
 * Refuses a run of this agent that can never start, has no place in the queue, or none in the budget of
 * the day. `waiting` runs of it are queued.
 * @throws AlError `unknown-agent`, `agent-disabled`, `over-budget` (user), `queue-full` (transient).
 */
export async function checkRoom(
  { store, clock }: Pick<RunQueuePorts, "store" | "clock">,
  { agent, waiting }: { readonly agent: string; readonly waiting: number },
  release: LiveRelease,
): Promise<void> {
  const found = release.agents.get(agent);
  const never = whyNever(agent, release);
  if (!found || never !== undefined) {
    const code = found ? "agent-disabled" : "unknown-agent";
    throw new AlError(never ?? `there is no agent ${agent}`, { code, blame: "user" });
  }
  const size = release.project.workQueueSize;
  if (waiting >= size) {
    const message = `agent ${agent} has ${size} runs waiting, as many as workQueueSize allows`;
    throw new AlError(message, { code: "queue-full", blame: "transient" });
  }
  const over = await whyNotToday({ store, clock }, found, waiting);
  if (over === undefined) return;
  throw new AlError(over, {
    code: "over-budget",
    blame: "user",
    hint: `Wait, or raise it in the [limits] of ${agent}/agent-config.toml, commit, and: al apply`,
  });
}

/** Stores a schedule's tick if a run of it could start at once; otherwise it is skipped, with a warning. */
export async function acceptTick(
  { store, clock, logger, ready }: RunQueuePorts,
  { agent, tick, id, tell }: Tick,
  release: LiveRelease,
): Promise<boolean> {
  const found = release.agents.get(agent);
  if (!found) return false;
  const over = await whyNotToday({ store, clock }, found);
  if (over !== undefined) {
    tell(over, dayOf(tick, found.timezone));
    return false;
  }
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

/** Ends queued runs that can never start under this release, or are over their agent's budget of the day. */
export async function cancelHopeless(ports: RunQueuePorts, release: LiveRelease): Promise<void> {
  const { store, clock, logger } = ports;
  const queued = (await store.unfinished()).filter(({ state }) => state === "queued");
  const reasons = new Map<string, string | undefined>();
  for (const name of new Set(queued.map(({ agent }) => agent))) {
    const agent = release.agents.get(name);
    const today = agent && (await whyNotToday({ store, clock }, agent));
    reasons.set(name, whyNever(name, release) ?? today);
  }
  for (const run of queued) {
    const detail = reasons.get(run.agent);
    if (detail === undefined) continue;
    logger.warn({ run: run.id, agent: run.agent, detail }, "queued run cancelled");
    await store.finished(run.id, { outcome: "cancelled", endedAt: clock.now(), detail });
  }
}
