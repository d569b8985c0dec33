import type { Clock } from "../base/clock.ts";

/** For how long who had something let in stays welcome. */
const WELCOME_MS = 60 * 60 * 1000;
/** Clients that are remembered; of more, those that were let in longest ago are forgotten. */
const MAX_WELCOME = 10_000;

/** Clients that had something let in lately, in memory. */
export interface WelcomeClients {
  /** Something of this client's was let in just now. */
  note(client: string): void;
  has(client: string): boolean;
}

/** Nobody is welcome yet. */
export function createWelcomeClients(clock: Clock): WelcomeClients {
  const letInAt = new Map<string, number>();
  return {
    note(client) {
      // Put in anew, so that the first is the one that was let in longest ago.
      letInAt.delete(client);
      letInAt.set(client, clock.now());
      const [oldest] = letInAt.keys();
      if (letInAt.size > MAX_WELCOME && oldest !== undefined) letInAt.delete(oldest);
    },
    has(client) {
      const at = letInAt.get(client);
      return at !== undefined && clock.now() - at < WELCOME_MS;
    },
  };
}
