import type { ReleasedAgent } from "../core/released.ts";
import { dayOf } from "../core/run-limits.ts";
import type { Terms } from "./accept.ts";
import { hasFreeRunner, situationOf } from "./capacity.ts";
import { whyNotToday } from "./day-budget.ts";
import { whyHeld } from "./holds.ts";
import type { RunStore } from "./ports.ts";
import type { RunQueuePorts } from "./run-queue.ts";

/** What a schedule has come to since it was last dealt with. */
export interface DueTick {
  readonly agent: string;
  /** The latest tick that is due, ms since the epoch. */
  readonly tick: number;
  /** True when it should have been dealt with so long ago that it counts as missed. */
  readonly isLate: boolean;
  /** Ticks before it that nobody dealt with; counted up to one more than {@link MOST_MISSED}. */
  readonly missed: number;
}

/** Where counting missed ticks ends. */
export const MOST_MISSED = 100;

/** `dealt-with`: the schedule goes on after the tick. `later`: it is to be asked again; nothing was stored. */
export type TickVerdict = "dealt-with" | "later";

interface TickTerms extends Terms {
  readonly id: string;
  /** Says why the agent's budget leaves no room for it. */
  readonly tell: (reason: string, day: string) => void;
}

/**
 * Deals with a schedule's tick: stores a run of it if one could start at once. What cannot, or is late,
 * is skipped with a warning (`catchUp` none), or (once) gets one run in the queue, for however many ticks
 * there were. While the agent is paused its schedule stands still, and a tick that finds the runtime not
 * ready waits until it is late; while the agent is disabled its ticks are nothing. A tick's key makes one run of it at most, whatever becomes of this process.
 */
export async function acceptTick(
  ports: RunQueuePorts,
  due: DueTick,
  terms: TickTerms,
): Promise<TickVerdict> {
  const { clock, store } = ports;
  const agent = terms.release.agents.get(due.agent);
  if (!agent || terms.standing.disabled.has(due.agent)) return "dealt-with";
  if (whyHeld(terms.standing, due.agent) !== undefined) return "later";
  // An earlier process accepted it, and died before it could note that.
  if (await store.byKey(keyOf(due))) return "dealt-with";
  const over = await whyNotToday({ store, clock }, agent);
  if (over !== undefined) {
    terms.tell(over, dayOf(due.tick, agent.timezone));
    return "dealt-with";
  }
  if (!due.isLate && !ports.ready()) return "later";
  const reason = await whyNotNow(store, due, terms);
  if (reason === undefined) {
    if (due.missed > 0) warnOfMissed(ports, agent, due);
    await accept(ports, due, terms.id);
    return "dealt-with";
  }
  if (agent.catchUp === "once") return makeUp(ports, due, { agent, reason, ...terms });
  if (due.isLate || due.missed > 0) warnOfMissed(ports, agent, due);
  const { tick } = due;
  if (!due.isLate) {
    ports.logger.warn({ agent: due.agent, tick, reason }, "scheduled run skipped");
  }
  return "dealt-with";
}

/** Why a tick's run cannot start at once, as a tick should; undefined when it can. */
async function whyNotNow(
  store: RunStore,
  { agent, isLate }: DueTick,
  terms: Terms,
): Promise<string | undefined> {
  if (isLate) return "it is late";
  const free = await hasFreeRunner(store, await situationOf(store, terms), agent);
  return free ? undefined : "no free runner";
}

/** One run that waits for its turn stands for every tick before it starts. */
async function makeUp(
  ports: RunQueuePorts,
  due: DueTick,
  { agent, reason, release, id }: TickTerms & { agent: ReleasedAgent; reason: string },
): Promise<TickVerdict> {
  const { store, logger } = ports;
  if (await store.hasQueued(due.agent, "schedule")) return "dealt-with";
  const size = release.project.workQueueSize;
  if ((await store.countQueued({ agent: due.agent, upTo: size })) >= size) return "later";
  if (due.isLate || due.missed > 0) warnOfMissed(ports, agent, due);
  else logger.info({ agent: due.agent, tick: due.tick, reason }, "scheduled run waits");
  await accept(ports, due, id);
  return "dealt-with";
}

async function accept({ store, clock }: RunQueuePorts, due: DueTick, id: string): Promise<void> {
  const { agent } = due;
  const trigger = { kind: "schedule" } as const;
  const key = keyOf(due);
  await store.accept({ id, agent, trigger, createdAt: clock.now(), reruns: 0, key });
}

function keyOf({ agent, tick }: DueTick): string {
  return `schedule/${agent}/${tick}`;
}

function warnOfMissed(
  { logger }: RunQueuePorts,
  { name, catchUp = "none" }: ReleasedAgent,
  { tick, isLate, missed }: DueTick,
): void {
  const ticks = missed + (isLate ? 1 : 0);
  const fields = { agent: name, missed: ticks > MOST_MISSED ? `over ${MOST_MISSED}` : ticks };
  const message =
    catchUp === "once"
      ? "scheduled runs were missed; one run makes up for them"
      : "scheduled runs were missed";
  logger.warn({ ...fields, lastTick: new Date(tick).toISOString(), catchUp }, message);
}
