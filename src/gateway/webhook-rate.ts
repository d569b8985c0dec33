import type { Clock } from "../base/clock.ts";

const MINUTE_MS = 60_000;

/** How often something may happen, by name. */
export interface RateLimits {
  /**
   * Takes one of `perMinute`, of which a minute's worth may come at once. Zero when it may happen now;
   * otherwise nothing is taken, and it may after so many ms.
   */
  take(name: string, perMinute: number): number;
  /** The same without taking one. */
  waitMs(name: string, perMinute: number): number;
}

/** Buckets that are kept; of more, those that were asked for longest ago are full again. */
const MAX_BUCKETS = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** Token buckets in memory: full at the start, and again after a quiet minute. */
export function createRateLimits(clock: Clock): RateLimits {
  const buckets = new Map<string, Bucket>();
  const filled = (name: string, perMinute: number): Bucket => {
    const now = clock.now();
    const { tokens, at } = buckets.get(name) ?? { tokens: perMinute, at: now };
    // A clock that was put back gives nothing and takes nothing.
    const gained = (Math.max(0, now - at) * perMinute) / MINUTE_MS;
    return { tokens: Math.min(perMinute, tokens + gained), at: now };
  };
  const waitFor = ({ tokens }: Bucket, perMinute: number) =>
    tokens < 1 ? Math.ceil(((1 - tokens) * MINUTE_MS) / perMinute) : 0;
  return {
    take(name, perMinute) {
      const bucket = filled(name, perMinute);
      const waitMs = waitFor(bucket, perMinute);
      if (waitMs === 0) bucket.tokens -= 1;
      // Put in anew, so that the first is the one asked for longest ago.
      buckets.delete(name);
      buckets.set(name, bucket);
      const [oldest] = buckets.keys();
      if (buckets.size > MAX_BUCKETS && oldest !== undefined) buckets.delete(oldest);
      return waitMs;
    },
    waitMs: (name, perMinute) => waitFor(filled(name, perMinute), perMinute),
  };
}
