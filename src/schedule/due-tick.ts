import type { Cron } from "croner";
import { type DueTick, MOST_MISSED } from "./accept-tick.ts";

/** A tick dealt with later than this is late: longer than replacing a runtime, or noticing a stepped clock, takes. */
const ON_TIME_MS = 2 * 60_000;

/** The first tick after a time; undefined when there is none. */
export function tickAfter(cron: Cron, time: number): number | undefined {
  return cron.nextRun(new Date(time))?.getTime();
}

/** What is due of a schedule at `now`, of which all up to `first` was dealt with and `first` is due. */
export function dueTick(
  cron: Cron,
  first: number,
  now: number,
): Pick<DueTick, "tick" | "isLate" | "missed"> {
  // Croner looks for times before the given one, by whole seconds.
  const nextSecond = new Date((Math.floor(now / 1000) + 1) * 1000);
  const latest = cron.previousRuns(1, nextSecond)[0]?.getTime() ?? first;
  const tick = Math.max(first, latest);
  let missed = 0;
  let each: number | undefined = first;
  while (each !== undefined && each < tick && missed <= MOST_MISSED) {
    missed += 1;
    each = tickAfter(cron, each);
  }
  return { tick, isLate: now - tick > ON_TIME_MS, missed };
}
