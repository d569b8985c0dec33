import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../../../src/base/clock.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that stands still until told: everybody who sleeps is woken in order. */
export class SimulatedClock implements Clock {
  #now: number;
  #jumped = 0;
  readonly #sleepers = new Set<Sleeper>();
  /** The same time, as it would be had the clock never been set. */
  readonly steady: Clock = {
    now: () => this.#now,
    sleep: (ms, signal) => this.sleep(ms, signal),
  };

  constructor(start: string | number = "2026-01-01T00:00:00Z") {
    this.#now = new Date(start).getTime();
  }

  /** How many wait for it. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  now(): number {
    return this.#now + this.#jumped;
  }

  /** Sets the clock; nobody who sleeps is woken by it. */
  jump(ms: number): void {
    this.#jumped += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const give = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper = {
        at: this.#now + ms,
        wake: () => {
          signal?.removeEventListener("abort", give);
          resolve();
        },
      };
      signal?.addEventListener("abort", give, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** Lets time pass; whatever it sets going has settled when this resolves. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = [...this.#sleepers].sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      this.#sleepers.delete(next);
      next.wake();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets everything that waits for nothing but promises go on. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await turn();
}
