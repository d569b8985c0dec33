import type { StandingHold } from "../../../src/core/hold.ts";
import type { HoldStore, TickStore } from "../../../src/schedule/ports.ts";

/** What a memory of schedules holds: holds by kind and agent, ticks by agent. */
export function scheduleMemory() {
  return {
    holds: new Map<string, StandingHold>(),
    ticks: new Map<string, { readonly schedule: string; readonly until: number }>(),
  };
}

/** Holds in memory, for tests; passes the same suite as the real store. */
export function createMemoryHoldStore({ holds } = scheduleMemory()): HoldStore {
  const nameOf = ({ kind, agent = "" }: { kind: string; agent?: string }) => `${kind}/${agent}`;
  return {
    async list() {
      return [...holds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, standing]) => standing);
    },
    async put(key, hold) {
      const standing = holds.get(nameOf(key)) ?? { ...key, hold };
      holds.set(nameOf(key), standing);
      return standing.hold;
    },
    lift: async (key) => holds.delete(nameOf(key)),
  };
}

/** How far schedules are, in memory, for tests; passes the same suite as the real store. */
export function createMemoryTickStore({ ticks } = scheduleMemory()): TickStore {
  return {
    async handledUntil(agent, schedule) {
      const known = ticks.get(agent);
      return known?.schedule === schedule ? known.until : undefined;
    },
    handled: async (agent, upTo) => void ticks.set(agent, upTo),
    async keep(agents) {
      for (const agent of [...ticks.keys()]) if (!agents.has(agent)) ticks.delete(agent);
    },
  };
}
