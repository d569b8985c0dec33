/** At most so many sessions at a time; see {@link createSessionLimit}. */
export interface SessionLimit {
  /**
   * Waits for a free place, first come first served, and resolves with the function that gives it back.
   * Giving it back twice does nothing. Rejects with the signal's reason when aborted while waiting.
   */
  acquire(signal: AbortSignal): Promise<() => void>;
}

/** A FIFO semaphore with `places` places whose waiters can be aborted. */
export function createSessionLimit(places: number): SessionLimit {
  let free = places;
  const waiting = new Set<() => void>();

  const giveBack = () => {
    const [next] = waiting;
    if (next) next();
    else free += 1;
  };
  const take = () => {
    let held = true;
    return () => {
      if (held) giveBack();
      held = false;
    };
  };

  return {
    async acquire(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return take();
      }
      return new Promise((resolve, reject) => {
        const onTurn = () => {
          waiting.delete(onTurn);
          signal.removeEventListener("abort", onAbort);
          resolve(take());
        };
        const onAbort = () => {
          waiting.delete(onTurn);
          reject(signal.reason);
        };
        waiting.add(onTurn);
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
  };
}
