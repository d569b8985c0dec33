import { AlError } from "../base/errors.ts";
import type { Scheduler } from "../schedule/scheduler.ts";

/** Stands where the scheduler's holds and the stopped marker come in; goes with the merge that brings them. */
export async function notYet(): Promise<never> {
  throw new AlError("this runtime cannot do that yet", { code: "not-serving", blame: "transient" });
}

/** A scheduler that cannot be paused yet. */
export function untilMerged(schedule: Scheduler) {
  const holds = { pause: notYet, resume: notYet, disable: notYet, enable: notYet };
  const others = { killAgent: notYet, queue: async () => [], paused: async () => undefined };
  return { ...schedule, ...holds, ...others };
}
