import type { Clock } from "../base/clock.ts";

/** Waits that can be cut short; a wake between `reset` and `wait` is not lost. */
export interface Waker {
  wake(): void;
  /** Forgets earlier wakes; called before the look that makes them out of date. */
  reset(): void;
  /** Resolves after `ms`, at the next wake, or when aborted, whichever is first. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** A waker on this clock. */
export function createWaker(clock: Clock): Waker {
  let cut = new AbortController();
  return {
    wake: () => cut.abort(),
    reset: () => {
      cut = new AbortController();
    },
    async wait(ms, signal) {
      const either = AbortSignal.any([signal, cut.signal]);
      await clock.sleep(ms, either).catch(() => {});
    },
  };
}
