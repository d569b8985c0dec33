import { raceAbort } from "../base/deadline.ts";

interface Flight {
  readonly result: Promise<unknown>;
  readonly signal: AbortSignal | undefined;
}

const flights = new WeakMap<object, Map<string, Flight>>();

/** What is done at most once at a time: `name` within `owner`. */
export interface CoalesceKey {
  readonly owner: object;
  readonly name: string;
  /** Ends this caller's wait; the work itself only when this caller started it. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs `work`, or waits for the same work another caller has under way.
 * When that caller gave up, those who waited start over among themselves.
 */
export async function coalesce<T>(key: CoalesceKey, work: () => Promise<T>): Promise<T> {
  const { owner, name, signal } = key;
  const inFlight = flights.get(owner) ?? new Map<string, Flight>();
  flights.set(owner, inFlight);
  for (;;) {
    signal?.throwIfAborted();
    const joined = inFlight.get(name);
    if (!joined) break;
    try {
      return (await raceAbort(joined.result, signal)) as T;
    } catch (thrown) {
      if (!joined.signal?.aborted || signal?.aborted) throw thrown;
    }
  }
  const result = work().finally(() => inFlight.delete(name));
  inFlight.set(name, { result, signal });
  return result;
}
