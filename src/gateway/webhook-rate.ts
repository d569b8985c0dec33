import type { Clock } from "../base/clock.ts";

const MINUTE_MS = 60_000;

/** How often something may happen, by name. */
export interface RateLimits {
  /**
   * Takes one of `perMinute`, of which a minute's worth may come at once. Zero when it may happen now;
   * otherwise nothing is taken, and it may after so many ms.
   */
  take(name: string, perMinute: number): number;
}

/** Token buckets in memory: full at the start, and again after a quiet minute. */
export function createRateLimits(clock: Clock): RateLimits {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    take(name, perMinute) {
      const now = clock.now();
      const bucket = buckets.get(name) ?? { tokens: perMinute, at: now };
      // A clock that was put back gives nothing and takes nothing.
      const gained = (Math.max(0, now - bucket.at) * perMinute) / MINUTE_MS;
      bucket.tokens = Math.min(perMinute, bucket.tokens + gained);
      bucket.at = now;
      buckets.set(name, bucket);
      if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * MINUTE_MS) / perMinute);
      bucket.tokens -= 1;
      return 0;
    },
  };
}
