import { setTimeout as delay } from "node:timers/promises";

/** Time, as a port: tests pass a simulated one. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch (thrown) {
      throw signal?.aborted ? signal.reason : thrown;
    }
  },
};

/**
 * The machine's time at this moment, and from then on as much later as time has really passed: setting
 * the machine's clock does not move it. For expiries and timeouts; its `now` is a whole number.
 */
export function steadyClock(): Clock {
  const start = Date.now() - performance.now();
  return { now: () => Math.round(start + performance.now()), sleep: systemClock.sleep };
}
