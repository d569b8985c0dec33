import { Cron } from "croner";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { ReleasedAgent } from "../core/released.ts";

/** Longest single sleep: a stepped wall clock is noticed within it. */
const MAX_SLEEP_MS = 60_000;

/** The schedules of a release's agents. */
export interface CronSet {
  /** Follows a release: schedules that did not change keep their place. */
  follow(agents: Iterable<ReleasedAgent>): void;
  /** Milliseconds since the epoch of an agent's next tick. */
  nextTick(agent: string): number | undefined;
  /** Ends all of them; resolves when no tick is under way. */
  stop(): Promise<void>;
}

interface CronSetPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once per tick with the time it was planned for; must not throw. */
  readonly onTick: (agent: string, tick: number) => Promise<void>;
}

interface Entry {
  readonly key: string;
  readonly cron: Cron;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** Ticks by the given clock, in each agent's timezone or UTC. Ticks missed while nothing ran are lost. */
export function createCronSet(ports: CronSetPorts): CronSet {
  const entries = new Map<string, Entry>();
  const drop = (name: string) => {
    entries.get(name)?.abort.abort();
    entries.delete(name);
  };
  return {
    follow(agents) {
      const wanted = new Map(
        [...agents]
          .filter((agent) => agent.scale > 0 && agent.schedule !== undefined)
          .map((agent) => [agent.name, agent]),
      );
      for (const name of [...entries.keys()]) if (!wanted.has(name)) drop(name);
      for (const [name, agent] of wanted) {
        const key = `${agent.timezone ?? "UTC"} ${agent.schedule}`;
        if (entries.get(name)?.key === key) continue;
        drop(name);
        const entry = openEntry(ports, agent, key);
        if (entry) entries.set(name, entry);
      }
    },
    nextTick(agent) {
      const cron = entries.get(agent)?.cron;
      return cron?.nextRun(new Date(ports.clock.now()))?.getTime();
    },
    async stop() {
      const ended = [...entries.values()].map(({ done }) => done);
      for (const name of [...entries.keys()]) drop(name);
      await Promise.all(ended);
    },
  };
}

/** The config room refuses bad patterns; one that gets here all the same must not stop the others. */
function openEntry(ports: CronSetPorts, agent: ReleasedAgent, key: string): Entry | undefined {
  try {
    const options = { timezone: agent.timezone ?? "UTC", paused: true };
    const cron = new Cron(agent.schedule ?? "", options);
    const abort = new AbortController();
    const done = tick(ports, { agent: agent.name, cron }, abort.signal);
    return { key, cron, abort, done };
  } catch (thrown) {
    const { name, schedule } = agent;
    ports.logger.error({ agent: name, schedule, err: thrown }, "schedule cannot be read");
    return undefined;
  }
}

async function tick(
  { clock, onTick }: CronSetPorts,
  { agent, cron }: { agent: string; cron: Cron },
  signal: AbortSignal,
): Promise<void> {
  let after = clock.now();
  while (!signal.aborted) {
    const next = cron.nextRun(new Date(after))?.getTime();
    if (next === undefined) return;
    if (!(await sleepUntil(clock, next, signal))) return;
    await onTick(agent, next);
    after = Math.max(next, clock.now());
  }
}

/** False when the signal fired first. */
async function sleepUntil(clock: Clock, time: number, signal: AbortSignal): Promise<boolean> {
  for (let left = time - clock.now(); left > 0; left = time - clock.now()) {
    const slept = await clock.sleep(Math.min(left, MAX_SLEEP_MS), signal).then(
      () => true,
      () => false,
    );
    if (!slept) return false;
  }
  return !signal.aborted;
}
