import type { Clock } from "../base/clock.ts";

/** Requests of one client that are dealt with at a time: 512 connections are open at most. */
const PLACES = 64;
/** How long a request waits for a place: those that were held while a runtime was replaced come all at once. */
const PATIENCE_MS = 2000;
const LOOK_MS = 50;

/** Requests under way, by client. */
export interface ClientPlaces {
  /** Does `work` in one of the client's places; undefined when none came free in time, nothing done. */
  within<T>(client: string, work: () => Promise<T>): Promise<{ readonly done: T } | undefined>;
}

/** Nothing is under way. Of clients that `isFree` says so of, any number may be, as of now. */
export function createClientPlaces(
  clock: Clock,
  isFree: (client: string) => boolean,
): ClientPlaces {
  const underWay = new Map<string, number>();
  const of = (client: string) => underWay.get(client) ?? 0;
  const isFull = (client: string) => of(client) >= PLACES && !isFree(client);
  return {
    async within(client, work) {
      for (let waitedMs = 0; isFull(client); waitedMs += LOOK_MS) {
        if (waitedMs >= PATIENCE_MS) return undefined;
        await clock.sleep(LOOK_MS);
      }
      underWay.set(client, of(client) + 1);
      try {
        return { done: await work() };
      } finally {
        if (of(client) > 1) underWay.set(client, of(client) - 1);
        else underWay.delete(client);
      }
    },
  };
}
