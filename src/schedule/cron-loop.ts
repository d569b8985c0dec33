import type { Cron } from "croner";
import type { Clock } from "../base/clock.ts";
import { hasCode, toAlError } from "../base/errors.ts";
import type { CronSetPorts } from "./cron-set.ts";
import { dueTick, tickAfter } from "./due-tick.ts";

/** Longest single sleep: a stepped wall clock is noticed within it, and what failed is tried again after it. */
const MAX_SLEEP_MS = 60_000;
/** A clock set back by more was wrong before: the schedule goes by the new time. By less, it waits for it. */
const MAX_STEP_BACK_MS = 3 * 60 * 60 * 1000;

/** A schedule, and where it goes on. Times are ms since the epoch. */
interface Schedule {
  readonly agent: string;
  /** As the TickStore knows it. */
  readonly schedule: string;
  /** Made for each look: Croner keeps 80 kB for a pattern, and there may be hundreds. */
  readonly cron: () => Cron;
  /** How long after each tick it is due. */
  readonly delayMs: number;
  /** Ticks up to this time were dealt with. */
  readonly from: number;
}

/** A schedule at work. */
export interface CronLoop extends Omit<Schedule, "agent" | "from"> {
  /** Up to when its ticks are dealt with. */
  dealtWith(): number;
  /** Has it look at once at what it has put off. */
  wake(): void;
  stop(): void;
  /** Resolves once it was stopped and no tick is under way; never rejects. */
  readonly done: Promise<void>;
}

/** Deals with a schedule's ticks, one after another, until stopped. How far it is is stored after each. */
export function runCronLoop(ports: CronSetPorts, options: Schedule): CronLoop {
  const { schedule, cron, delayMs } = options;
  const sleeper = createSleeper(ports.clock);
  let dealtWith = options.from;
  const loop = async () => {
    while (!sleeper.isStopped()) {
      dealtWith = await afterStepBack(ports, options, dealtWith);
      const now = ports.clock.now() - delayMs;
      const next = tickAfter(cron(), dealtWith);
      if (next === undefined) return;
      if (next > now) {
        await sleepUntil(ports.clock, { time: next + delayMs, dealtWith }, sleeper);
        continue;
      }
      const tick = await deal(ports, options, dueTick(cron(), next, now));
      if (tick === undefined) await sleeper.sleep(MAX_SLEEP_MS);
      else dealtWith = tick;
    }
  };
  const done = loop().catch((thrown) => {
    ports.logger.error({ agent: options.agent, err: toAlError(thrown) }, "schedule ended");
  });
  return {
    ...{ schedule, cron, delayMs, dealtWith: () => dealtWith },
    ...{ wake: sleeper.wake, stop: sleeper.stop, done },
  };
}

/** The tick that was dealt with; undefined when it is to be tried again. */
async function deal(
  { onDue, ticks, logger }: CronSetPorts,
  { agent, schedule }: Schedule,
  due: ReturnType<typeof dueTick>,
): Promise<number | undefined> {
  try {
    if ((await onDue({ agent, ...due })) === "later") return undefined;
    await ticks.handled(agent, { schedule, until: due.tick });
    return due.tick;
  } catch (thrown) {
    // Whoever serves next deals with it.
    if (hasCode(thrown, "not-serving")) return undefined;
    logger.error({ agent, err: toAlError(thrown) }, "a schedule's tick has to wait");
    return undefined;
  }
}

async function afterStepBack(
  { clock, ticks, logger }: CronSetPorts,
  { agent, schedule }: Schedule,
  dealtWith: number,
): Promise<number> {
  const now = clock.now();
  if (dealtWith - now <= MAX_STEP_BACK_MS) return dealtWith;
  const was = new Date(dealtWith).toISOString();
  logger.warn({ agent, was }, "the clock was set back by hours; the schedule goes by the new time");
  await ticks.handled(agent, { schedule, until: now }).catch((thrown) => {
    logger.error({ agent, err: toAlError(thrown) }, "how far a schedule is cannot be stored");
  });
  return now;
}

/** Sleeps until the wall clock shows a time, is set back by hours, or the sleeper is woken. */
async function sleepUntil(
  clock: Clock,
  { time, dealtWith }: { readonly time: number; readonly dealtWith: number },
  sleeper: Sleeper,
): Promise<void> {
  let isRested = true;
  for (let left = time - clock.now(); left > 0 && isRested; left = time - clock.now()) {
    if (dealtWith - clock.now() > MAX_STEP_BACK_MS) return;
    isRested = await sleeper.sleep(Math.min(left, MAX_SLEEP_MS));
  }
}

interface Sleeper {
  /** False when it was woken or stopped before or meanwhile. */
  sleep(ms: number): Promise<boolean>;
  isStopped(): boolean;
  readonly wake: () => void;
  readonly stop: () => void;
}

function createSleeper(clock: Clock): Sleeper {
  let nap = new AbortController();
  let isStopped = false;
  const wake = () => nap.abort();
  return {
    async sleep(ms) {
      const { signal } = nap;
      await clock.sleep(ms, signal).catch(() => undefined);
      if (!signal.aborted) return true;
      nap = new AbortController();
      return false;
    },
    isStopped: () => isStopped,
    wake,
    stop() {
      isStopped = true;
      wake();
    },
  };
}
