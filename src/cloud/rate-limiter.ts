import type { Clock } from "../base/clock.ts";

/** Keeps the requests of a process within what an API allows; share one among all its clients. */
export interface RateLimiter {
  /** Resolves when the next request may be sent; in order of arrival. */
  take(signal?: AbortSignal): Promise<void>;
  /** Nothing more is sent for `ms`. */
  hold(ms: number): void;
}

/** A limiter that spaces requests evenly, without bursts. */
export function createRateLimiter(perSecond: number, clock: Clock): RateLimiter {
  const spacingMs = 1_000 / perSecond;
  let nextMs = 0;
  return {
    async take(signal) {
      signal?.throwIfAborted();
      const now = clock.now();
      const mine = Math.max(now, nextMs);
      nextMs = mine + spacingMs;
      if (mine > now) await clock.sleep(mine - now, signal);
    },
    hold(ms) {
      nextMs = Math.max(nextMs, clock.now() + ms);
    },
  };
}
