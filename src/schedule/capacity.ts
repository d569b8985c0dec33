import type { Run } from "../core/run.ts";
import { type Standing, whyHeld } from "./holds.ts";
import type { LiveRelease, RunStore } from "./ports.ts";

/** What decides who may start. */
export interface Situation {
  readonly release: LiveRelease;
  readonly standing: Standing;
  /** Starting and running runs, which hold a place: made or about to be made. */
  readonly active: readonly Run[];
  readonly places: Places;
}

/** The project's places, of which it has as many as its `scale`. */
export interface Places {
  readonly taken: number;
  /** Active runs, by id, that gave their place to a run they called. */
  readonly lenders: ReadonlySet<string>;
}

/** Active runs of an agent. */
export function activeRuns(active: readonly Run[], agent: string): number {
  return active.filter((run) => run.agent === agent).length;
}

/** How things stand under a release. */
export async function situationOf(
  store: RunStore,
  { release, standing }: Pick<Situation, "release" | "standing">,
): Promise<Situation> {
  const active = await store.active();
  return { release, standing, active, places: await placesOf(store, active) };
}

/**
 * Which queued run starts next; undefined when none may. `heads` are the store's.
 *
 * Each agent's own queue goes oldest first, and an agent that is held, or at its limit, holds up nobody
 * else. Between agents, a place of the project goes to the one with the fewest active runs; of equal
 * ones, to the one whose latest start is longest ago. So an agent with nothing under way waits for one
 * start of each other agent at most, however long their queues are.
 *
 * A run that waits for what it called must not keep it from starting. So when the project has no place
 * left, an active run lends its own to one run it called; see {@link Places}.
 */
export async function nextStartable(
  store: RunStore,
  situation: Situation,
  heads: readonly Run[],
): Promise<Run | undefined> {
  const { active, places, release } = situation;
  if (places.taken < (release.project.scale ?? Infinity)) {
    const [first, ...others] = heads.filter((run) => hasRoom(situation, run.agent));
    const load = (run: Run) => activeRuns(active, run.agent);
    return others.reduce((best, run) => (best && load(run) < load(best) ? run : best), first);
  }
  if (heads.length === 0) return undefined;
  for (const { id } of active.filter((run) => !places.lenders.has(run.id))) {
    const called = await store.calledBy(id);
    const guest = called.find((run) => hasRoom(situation, run.agent));
    if (guest) return guest;
  }
  return undefined;
}

/** True when the agent is not held and has a place of its own for one more run. */
export function hasRoom({ release, standing, active }: Situation, agent: string): boolean {
  const found = release.agents.get(agent);
  if (!found || whyHeld(standing, agent) !== undefined) return false;
  return activeRuns(active, agent) < found.scale;
}

/** True when one more run of the agent could start at once, ahead of nobody. */
export async function hasFreeRunner(
  store: RunStore,
  situation: Situation,
  agent: string,
): Promise<boolean> {
  const { release, active, places } = situation;
  const scale = release.agents.get(agent)?.scale ?? 0;
  const waiting = await store.countQueued({ agent, upTo: scale });
  if (!hasRoom(situation, agent) || activeRuns(active, agent) + waiting >= scale) return false;
  const cap = release.project.scale;
  if (cap === undefined) return true;
  const others = (await store.heads()).filter(
    (run) => run.agent !== agent && hasRoom(situation, run.agent),
  );
  return places.taken + waiting + others.length < cap;
}

/** Why a run of this agent can never start under this release; undefined when it can. */
export function whyNever(agent: string, release: LiveRelease): string | undefined {
  const found = release.agents.get(agent);
  if (!found) return `there is no agent ${agent} in the live release`;
  return found.scale === 0 ? `agent ${agent} is disabled (scale = 0)` : undefined;
}

/**
 * Every active run takes a place, but for one guest of each: an active run that it called, or that what
 * it called and has ended did. Thus a place has at most as many containers as calls may nest, one inside
 * of the other, and the end of a run never makes the number of places taken larger.
 */
async function placesOf(store: RunStore, active: readonly Run[]): Promise<Places> {
  const ids = new Set(active.map(({ id }) => id));
  const lenders = new Set<string>();
  for (const run of active) {
    const host = await activeCaller(store, run, ids);
    if (host !== undefined) lenders.add(host);
  }
  return { taken: active.length - lenders.size, lenders };
}

/** The nearest of those who called a run, directly or through others, that is active. */
async function activeCaller(
  store: RunStore,
  run: Run,
  active: ReadonlySet<string>,
): Promise<string | undefined> {
  let caller: Run | undefined = run;
  while (caller?.trigger.kind === "call") {
    const { callerRun }: { callerRun: string } = caller.trigger;
    if (active.has(callerRun)) return callerRun;
    caller = await store.get(callerRun);
  }
  return undefined;
}
