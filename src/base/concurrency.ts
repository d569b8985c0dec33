import pLimit from "p-limit";

/**
 * Runs `work` for every item, at most `limit` at a time, and waits for all of them.
 * Results keep the order of the items; a failure is a value here, so one item never stops another.
 */
export async function settleBounded<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const bounded = pLimit(limit);
  return Promise.allSettled(items.map((item) => bounded(() => work(item))));
}

/** Like {@link settleBounded}, but throws the first failure after all have ended. */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const settled = await settleBounded(items, limit, work);
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

/** Runs work given to it, at most `limit` at a time; the rest waits in order of arrival. */
export function boundedRunner(limit: number): <R>(work: () => Promise<R>) => Promise<R> {
  const bounded = pLimit(limit);
  return (work) => bounded(work);
}

/** Runs work given to it, one piece at a time for each key; the rest of that key waits in order of arrival. */
export function serialByKey(): <R>(key: string, work: () => Promise<R>) => Promise<R> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const result = (last.get(key) ?? Promise.resolve()).then(work);
    const ended = result
      .catch(() => undefined)
      .then(() => {
        if (last.get(key) === ended) last.delete(key);
      });
    last.set(key, ended);
    return result;
  };
}
