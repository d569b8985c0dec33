import type { Json } from "../../src/base/canonical-json.ts";
import type { RunLock } from "../../src/core/run-lock.ts";
import type { LockStore } from "../../src/schedule/locks.ts";
import type { RunUpkeep } from "../../src/schedule/run-upkeep.ts";
import type { SignalStore } from "../../src/schedule/signals.ts";
import { createMemoryRunStore, runMemory } from "../unit/schedule/memory-run-store.ts";
import {
  createMemoryHoldStore,
  createMemoryTickStore,
  scheduleMemory,
} from "../unit/schedule/memory-schedule-stores.ts";
import {
  createMemoryWebhookReceipts,
  type KeptReceipt,
} from "../unit/state/memory-webhook-receipts.ts";
import type { Storage, StorageBench } from "./storage.ts";

function emptyMemory() {
  return {
    ...runMemory(),
    ...scheduleMemory(),
    values: new Map<string, Json>(),
    locks: new Map<string, RunLock>(),
    receipts: { all: [] as KeptReceipt[] },
  };
}

type Memory = ReturnType<typeof emptyMemory>;

/** The reference store: what every other must do, without a disk. */
export function memoryBench(): StorageBench {
  let memory = emptyMemory();
  return {
    storage: () => memoryStorage(memory),
    async dieIn(work) {
      const before = structuredClone(memory);
      await work();
      memory = before;
      return "inside";
    },
    dispose: async () => undefined,
  };
}

function memoryStorage(memory: Memory): Storage {
  const runs = createMemoryRunStore(memory);
  const accept = (all: readonly Parameters<typeof runs.accept>[0][]) =>
    // It has stored before it returns.
    all.forEach((run) => void runs.accept(run));
  return {
    runs: {
      ...runs,
      async finished(id, ...end) {
        await runs.finished(id, ...end);
        dropLocks(memory, [id]);
      },
      async finishQueued(...which) {
        const ended = await runs.finishQueued(...which);
        dropLocks(memory, ended);
        return ended;
      },
    },
    receipts: createMemoryWebhookReceipts(accept, memory.receipts),
    signals: memorySignals(memory),
    locks: memoryLocks(memory),
    upkeep: memoryUpkeep(memory),
    holds: createMemoryHoldStore(memory),
    ticks: createMemoryTickStore(memory),
  };
}

function dropLocks({ locks }: Memory, ended: readonly string[]): void {
  for (const { run, resourceKey } of locks.values()) {
    if (ended.includes(run)) locks.delete(resourceKey);
  }
}

function isUnfinished({ runs }: Memory, id: string): boolean {
  const run = runs.get(id);
  return run !== undefined && run.state !== "finished";
}

function memorySignals(memory: Memory): SignalStore {
  const { runs, values } = memory;
  const note = async (id: string, more: object) => {
    const run = runs.get(id);
    if (!run || run.state === "finished") return false;
    runs.set(id, { ...run, ...more });
    return true;
  };
  return {
    askRerun: (id) => note(id, { rerunAsked: true }),
    setStatus: (id, statusText) => note(id, { statusText }),
    async setReturnValue(id, value) {
      if (!isUnfinished(memory, id)) return false;
      values.set(id, value);
      return true;
    },
    returnValue: async (id) => values.get(id),
  };
}

function memoryLocks(memory: Memory): LockStore {
  const { locks, runs } = memory;
  const held = (now: number) => {
    for (const lock of locks.values()) {
      if (lock.expiresAt <= now) locks.delete(lock.resourceKey);
    }
    return [...locks.values()];
  };
  const notHeld = (lock: RunLock | undefined) =>
    lock ? ({ kind: "taken", lock } as const) : ({ kind: "free" } as const);
  const keep = (lock: RunLock) => {
    locks.set(lock.resourceKey, lock);
    return { kind: "held", expiresAt: lock.expiresAt } as const;
  };
  return {
    async acquire({ run, resourceKey, now, expiresAt }) {
      const own = held(now).find((lock) => lock.run === run);
      if (!isUnfinished(memory, run)) return { kind: "ended" };
      if (own?.resourceKey === resourceKey) return keep({ ...own, expiresAt });
      if (own) return { kind: "holds-another", resourceKey: own.resourceKey };
      const lock = locks.get(resourceKey);
      if (lock) return { kind: "taken", lock };
      const { agent = "" } = runs.get(run) ?? {};
      return keep({ resourceKey, run, agent, heldSince: now, expiresAt });
    },
    async release({ run, resourceKey, now }) {
      const lock = held(now).find((each) => each.resourceKey === resourceKey);
      if (lock?.run !== run) return notHeld(lock);
      locks.delete(resourceKey);
      return { kind: "released" };
    },
    async heartbeat({ run, resourceKey, now, expiresAt }) {
      const lock = held(now).find((each) => each.resourceKey === resourceKey);
      return lock?.run === run ? keep({ ...lock, expiresAt }) : notHeld(lock);
    },
    heldBy: async (run, now) =>
      [...locks.values()].find((lock) => lock.run === run && lock.expiresAt > now),
    list: async (now) =>
      [...locks.values()]
        .filter(({ expiresAt }) => expiresAt > now)
        .sort((a, b) => (a.resourceKey < b.resourceKey ? -1 : 1)),
  };
}

function memoryUpkeep(memory: Memory): RunUpkeep {
  const { runs, keys, values, secrets, contexts } = memory;
  const notNeeded = (id: string, before: number) => {
    const run = runs.get(id);
    if (run?.state !== "finished" || (run.endedAt ?? 0) >= before) return false;
    return run.trigger.kind !== "call" || !isUnfinished(memory, run.trigger.callerRun);
  };
  return {
    async restore(found) {
      const known = runs.get(found.id);
      if (known && known.state !== "queued") return;
      const { startedAt, start } = found;
      const base = known ?? { ...found, trigger: { kind: "lost" } as const, reruns: 0 };
      runs.set(found.id, { ...base, startedAt, start, state: "running" });
    },
    async forgettable({ before, limit }) {
      const old = [...runs.values()].filter(({ id }) => notNeeded(id, before));
      old.sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0) || (a.id < b.id ? -1 : 1));
      return old.slice(0, limit).map(({ id, agent }) => ({ id, agent }));
    },
    async forget(ids) {
      for (const id of ids) {
        if (runs.get(id)?.state !== "finished") continue;
        for (const map of [runs, values, secrets, contexts]) map.delete(id);
        for (const [key, run] of keys) if (run === id) keys.delete(key);
      }
    },
    async forgetReturnValues({ before, limit }) {
      const old = [...values.keys()].filter((id) => notNeeded(id, before)).slice(0, limit);
      for (const id of old) values.delete(id);
      return old.length === limit;
    },
    compact: async () => undefined,
  };
}
