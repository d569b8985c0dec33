import type { Clock } from "../../src/base/clock.ts";

/** A clock on which every sleep takes no time, and makes it later by as much. */
export class LeapingClock implements Clock {
  #now: number;

  constructor(start = "2026-01-01T00:00:00Z") {
    this.#now = Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const end = this.#now + ms;
    await new Promise(setImmediate);
    this.#now = Math.max(this.#now, end);
    signal?.throwIfAborted();
  }
}
