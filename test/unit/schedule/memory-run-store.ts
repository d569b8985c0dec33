import { AlError } from "../../../src/base/errors.ts";
import type { NewRun, Run } from "../../../src/core/run.ts";
import { joinTrigger, splitTrigger } from "../../../src/core/trigger.ts";
import type { RunStore } from "../../../src/schedule/ports.ts";

/** What a memory of runs holds, by the runs' ids; `keys` has the id of each key's run. */
export function runMemory() {
  return {
    runs: new Map<string, Run>(),
    keys: new Map<string, string>(),
    secrets: new Map<string, string>(),
    contexts: new Map<string, string>(),
  };
}

/** Runs in memory, for tests; passes the same suite as the real store. */
export function createMemoryRunStore(memory = runMemory()): RunStore {
  const { runs, keys, secrets, contexts } = memory;
  const change = (id: string, from: readonly string[], next: (run: Run) => Run) => {
    const run = runs.get(id);
    if (!run || !from.includes(run.state))
      throw new AlError(id, { code: "run-state", blame: "bug" });
    runs.set(id, next(run));
  };
  const accept = ({ key, ...run }: NewRun): boolean => {
    if (key !== undefined && keys.has(key)) return false;
    const { facts, context } = splitTrigger(run.trigger);
    if (key !== undefined) keys.set(key, run.id);
    runs.set(run.id, { ...run, trigger: facts, state: "queued" });
    if (context !== undefined) contexts.set(run.id, context);
    return true;
  };
  return {
    accept: async (run) => accept(run),
    async starting(id, { secretHash, ...start }) {
      change(id, ["queued", "starting"], (run) => ({ ...run, state: "starting", start }));
      secrets.set(id, secretHash);
    },
    async requeue(id) {
      change(
        id,
        ["starting"],
        ({ start: _start, made: _made, killReason: _reason, killDetail: _detail, ...run }) => ({
          ...run,
          state: "queued",
        }),
      );
      secrets.delete(id);
    },
    async running(id, startedAt) {
      change(id, ["starting"], (run) => ({ ...run, state: "running", startedAt }));
    },
    async made(id, made) {
      const run = runs.get(id);
      if (run && run.state !== "finished") runs.set(id, { ...run, made });
    },
    async used(id, usage) {
      const run = runs.get(id);
      if (run && run.state !== "finished") runs.set(id, { ...run, usage });
    },
    async killing(id, { reason, detail }) {
      const run = runs.get(id);
      if (!run || run.state === "finished" || run.killReason) return;
      runs.set(id, { ...run, killReason: reason, ...(detail && { killDetail: detail }) });
    },
    async finished(id, { startedAt, ...end }, rerun) {
      const run = runs.get(id);
      if (!run || run.state === "finished") return;
      contexts.delete(id);
      const started = run.startedAt ?? startedAt;
      runs.set(id, {
        ...run,
        ...end,
        ...(started !== undefined && { startedAt: started }),
        state: "finished",
      });
      if (rerun) accept(rerun);
    },
    byKey: async (key) => runs.get(keys.get(key) ?? ""),
    ...reading({ runs, secrets, contexts }),
  };
}

interface Memory {
  readonly runs: ReadonlyMap<string, Run>;
  readonly secrets: ReadonlyMap<string, string>;
  readonly contexts: ReadonlyMap<string, string>;
}

function reading({ runs, secrets, contexts }: Memory) {
  const sorted = () => [...runs.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    async startedSince(agent, since) {
      return sorted().filter(
        (run) => run.agent === agent && ((run.startedAt ?? 0) >= since || run.state === "starting"),
      );
    },
    get: async (id) => runs.get(id),
    async trigger(id) {
      const run = runs.get(id);
      if (!run) throw new AlError(id, { code: "run-state", blame: "bug" });
      return joinTrigger(run.trigger, contexts.get(id));
    },
    unfinished: async () => sorted().filter(({ state }) => state !== "finished"),
    async list({ agent, limit }) {
      const found = sorted().filter((run) => agent === undefined || run.agent === agent);
      return found.reverse().slice(0, limit);
    },
    async bySecret(secretHash) {
      return sorted().find(
        ({ id, state }) => secrets.get(id) === secretHash && state !== "finished",
      );
    },
  } satisfies Partial<RunStore>;
}
