import { createHash } from "node:crypto";
import { Cron } from "croner";
import type { Clock } from "../base/clock.ts";
import { toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ReleasedAgent } from "../core/released.ts";
import type { DueTick, TickVerdict } from "./accept-tick.ts";
import { type CronLoop, runCronLoop } from "./cron-loop.ts";
import { tickAfter } from "./due-tick.ts";
import type { LiveRelease, TickStore } from "./ports.ts";
import { createSerial } from "./serial.ts";

/** The schedules of a release's agents. */
export interface CronSet {
  /** Follows a release: schedules that did not change keep their place, others begin now. */
  follow(release: LiveRelease): Promise<void>;
  /** Milliseconds since the epoch of when an agent's next tick is due, its jitter included. */
  nextTick(agent: string): number | undefined;
  /** Asks again about ticks that were to be dealt with later. */
  wake(): void;
  /** Ends all of them; resolves when no tick is under way. */
  stop(): Promise<void>;
}

/** What schedules need. */
export interface CronSetPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ticks: TickStore;
  /** Deals with a due tick; what it throws is logged, and the tick is tried again. */
  readonly onDue: (due: DueTick) => Promise<TickVerdict>;
}

/** Ticks in each agent's timezone or UTC; how far each schedule is survives this process. */
export function createCronSet(ports: CronSetPorts): CronSet {
  const loops = new Map<string, CronLoop>();
  const serial = createSerial();
  /** Resolves when it is past storing anything. */
  const drop = async (name: string) => {
    const loop = loops.get(name);
    loops.delete(name);
    loop?.stop();
    await loop?.done;
  };
  const follow = async ({ agents, project }: LiveRelease) => {
    const scheduled = [...agents.values()].filter(
      (agent) => agent.scale > 0 && agent.schedule !== undefined,
    );
    const names = new Set(scheduled.map(({ name }) => name));
    for (const name of [...loops.keys()]) if (!names.has(name)) await drop(name);
    await ports.ticks.keep(names).catch((thrown) => {
      ports.logger.error({ err: toAlError(thrown) }, "old schedules are not forgotten");
    });
    for (const agent of scheduled) {
      const delayMs = jitterOf(project.project, agent);
      const schedule = scheduleOf(agent);
      const { name } = agent;
      const running = loops.get(name);
      if (running?.schedule === schedule && running.delayMs === delayMs) continue;
      await drop(name);
      const cron = readPattern(ports.logger, agent);
      if (!cron) continue;
      const from = await placeOf(ports, name, schedule);
      loops.set(name, runCronLoop(ports, { agent: name, schedule, cron, delayMs, from }));
    }
  };
  return {
    follow: (release) => serial(() => follow(release)),
    nextTick(agent) {
      const loop = loops.get(agent);
      const now = ports.clock.now();
      const tick = loop && tickAfter(loop.cron(), Math.max(now - loop.delayMs, loop.dealtWith()));
      return tick === undefined || !loop ? undefined : tick + loop.delayMs;
    },
    wake() {
      for (const loop of loops.values()) loop.wake();
    },
    stop: () =>
      serial(async () => {
        await Promise.all([...loops.keys()].map(drop));
      }),
  };
}

/** What makes a schedule another one; jitter only delays it. */
function scheduleOf({ schedule, timezone = "UTC" }: ReleasedAgent): string {
  return `${timezone} ${schedule}`;
}

/** Always the same for an agent, so that agents with one schedule keep out of each other's way; ms. */
function jitterOf(project: string, { name, jitterSeconds = 0 }: ReleasedAgent): number {
  if (jitterSeconds === 0) return 0;
  const hash = createHash("sha256").update(`${project}/${name}`).digest();
  return hash.readUInt32BE() % (jitterSeconds * 1000);
}

/** Where a schedule goes on; one that was not known, or was another one, has no past. */
async function placeOf(
  { ticks, clock, logger }: CronSetPorts,
  agent: string,
  schedule: string,
): Promise<number> {
  const now = clock.now();
  try {
    const until = await ticks.handledUntil(agent, schedule);
    if (until === undefined) await ticks.handled(agent, { schedule, until: now });
    return until ?? now;
  } catch (thrown) {
    logger.error({ agent, err: toAlError(thrown) }, "how far a schedule is cannot be stored");
    return now;
  }
}

/** The config room refuses bad patterns; one that gets here all the same must not stop the others. */
function readPattern(logger: Logger, agent: ReleasedAgent): (() => Cron) | undefined {
  const { name, schedule, timezone = "UTC" } = agent;
  try {
    const cron = () => new Cron(schedule ?? "", { timezone, paused: true });
    if (cron().nextRun(new Date(0))) return cron;
    logger.error({ agent: name, schedule }, "schedule never ticks");
  } catch (thrown) {
    logger.error({ agent: name, schedule, err: toAlError(thrown) }, "schedule cannot be read");
  }
  return undefined;
}
