import type { Run } from "../core/run.ts";
import type { AcquireAnswer } from "../core/run-lock.ts";

/** One who waits for a lock. */
export interface Waiter {
  readonly run: Run;
  readonly resourceKey: string;
  readonly ttlSeconds?: number;
  /** Fires when nobody hears the answer any more. */
  readonly signal?: AbortSignal;
}

interface Entry {
  readonly waiter: Waiter;
  readonly resolve: (answer: AcquireAnswer) => void;
  readonly reject: (reason: unknown) => void;
}

/** A run that asks more often at once is not put in line again. */
const MAX_PLACES_PER_RUN = 8;

/** Who waits for which lock, first come first served. It grants nothing: that is its owner's business. */
export class LockLines {
  readonly #lines = new Map<string, Entry[]>();

  /** Puts one at the end of its line, for its answer; undefined when its run has places enough. */
  join(waiter: Waiter): Promise<AcquireAnswer> | undefined {
    const places = this.#all().filter((entry) => entry.waiter.run.id === waiter.run.id);
    if (places.length >= MAX_PLACES_PER_RUN) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<AcquireAnswer>();
    // Whoever waits may not listen yet.
    promise.catch(() => undefined);
    const line = this.#lines.get(waiter.resourceKey) ?? [];
    this.#lines.set(waiter.resourceKey, [...line, { waiter, resolve, reject }]);
    return promise;
  }

  /** Who comes next. */
  first(resourceKey: string): Waiter | undefined {
    return this.#lines.get(resourceKey)?.[0]?.waiter;
  }

  has(waiter: Waiter): boolean {
    return this.#all().some((entry) => entry.waiter === waiter);
  }

  /** Answers one, who thereby leaves its line; nothing when it has left. */
  answer(waiter: Waiter, answer: AcquireAnswer): void {
    for (const entry of this.#remove((each) => each === waiter)) entry.resolve(answer);
  }

  /** As `answer`, for all whose answer is not undefined. */
  answerSome(answerTo: (waiter: Waiter) => AcquireAnswer | undefined): void {
    for (const { waiter } of this.#all()) {
      const answer = answerTo(waiter);
      if (answer) this.answer(waiter, answer);
    }
  }

  /** Lets some, or all, know that they wait in vain. */
  reject(reason: unknown, wanted: (waiter: Waiter) => boolean = () => true): void {
    for (const entry of this.#remove(wanted)) entry.reject(reason);
  }

  keys(): readonly string[] {
    return [...this.#lines.keys()];
  }

  /** How many runs wait for a lock. */
  waiting(resourceKey: string): number {
    return new Set(this.#lines.get(resourceKey)?.map(({ waiter }) => waiter.run.id)).size;
  }

  #all(): readonly Entry[] {
    return [...this.#lines.values()].flat();
  }

  #remove(wanted: (waiter: Waiter) => boolean): readonly Entry[] {
    const removed: Entry[] = [];
    for (const [key, line] of this.#lines) {
      const stays = line.filter((entry) => !wanted(entry.waiter));
      removed.push(...line.filter((entry) => wanted(entry.waiter)));
      if (stays.length > 0) this.#lines.set(key, stays);
      else this.#lines.delete(key);
    }
    return removed;
  }
}
