import { AlError } from "../../../src/base/errors.ts";
import type { FinishedRun, NewRun, Run } from "../../../src/core/run.ts";
import { joinTrigger, splitTrigger } from "../../../src/core/trigger.ts";
import type { RunStore } from "../../../src/schedule/ports.ts";

/** What a memory of runs holds, by the runs' ids; `keys` has the id of each key's run. */
export function runMemory() {
  return {
    runs: new Map<string, Run>(),
    keys: new Map<string, string>(),
    secrets: new Map<string, string>(),
    contexts: new Map<string, string>(),
    /** Agents, in the order of their runs' starts. */
    turns: [] as string[],
  };
}

/** Runs in memory, for tests; passes the same suite as the real store. */
export function createMemoryRunStore(memory = runMemory()): RunStore {
  const { runs, keys, secrets, contexts, turns } = memory;
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
  const finish = (id: string, { startedAt, ...end }: FinishedRun): boolean => {
    const run = runs.get(id);
    if (!run || run.state === "finished") return false;
    contexts.delete(id);
    const started = run.startedAt ?? startedAt;
    const whenStarted = started === undefined ? {} : { startedAt: started };
    runs.set(id, { ...run, ...end, ...whenStarted, state: "finished" });
    return true;
  };
  return {
    accept: async (run) => accept(run),
    async starting(id, { secretHash, ...start }) {
      change(id, ["queued", "starting"], (run) => ({ ...run, state: "starting", start }));
      secrets.set(id, secretHash);
      turns.push(runs.get(id)?.agent ?? "");
    },
    async requeue(id) {
      const run = runs.get(id);
      if (run?.state === "starting" && run.killReason) return false;
      change(id, ["starting"], ({ start: _start, made: _made, ...run }) => ({
        ...run,
        state: "queued",
      }));
      secrets.delete(id);
      return true;
    },
    async running(id, startedAt) {
      change(id, ["starting"], (run) => ({ ...run, state: "running", startedAt }));
    },
    ...noting(runs),
    async finished(id, end, rerun) {
      if (finish(id, end) && rerun) accept(rerun);
    },
    async finishQueued(agent, end, limit) {
      const ids = sorted(runs)
        .filter((run) => run.state === "queued" && run.agent === agent)
        .slice(0, limit)
        .map(({ id }) => id);
      for (const id of ids) finish(id, end);
      return ids;
    },
    byKey: async (key) => runs.get(keys.get(key) ?? ""),
    ...reading({ runs, secrets, contexts }),
    ...queueing({ runs, turns }),
  };
}

function noting(runs: Map<string, Run>) {
  return {
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
  } satisfies Partial<RunStore>;
}

interface Memory {
  readonly runs: ReadonlyMap<string, Run>;
  readonly secrets: ReadonlyMap<string, string>;
  readonly contexts: ReadonlyMap<string, string>;
}

function sorted(runs: Memory["runs"]): Run[] {
  return [...runs.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function reading({ runs, secrets, contexts }: Memory) {
  return {
    async usedSince(agent, since) {
      const used = sorted(runs).filter(
        (run) => run.agent === agent && ((run.startedAt ?? 0) >= since || run.state === "starting"),
      );
      return {
        runs: used.length,
        cost: used.reduce((sum, { usage }) => sum + (usage?.cost ?? 0), 0),
      };
    },
    get: async (id) => runs.get(id),
    async trigger(id) {
      const run = runs.get(id);
      if (!run) throw new AlError(id, { code: "run-state", blame: "bug" });
      return joinTrigger(run.trigger, contexts.get(id));
    },
    unfinished: async () => sorted(runs).filter(({ state }) => state !== "finished"),
    async list({ agent, limit }) {
      const found = sorted(runs).filter((run) => agent === undefined || run.agent === agent);
      return found.reverse().slice(0, limit);
    },
    async bySecret(secretHash) {
      return sorted(runs).find(
        ({ id, state }) => secrets.get(id) === secretHash && state !== "finished",
      );
    },
  } satisfies Partial<RunStore>;
}

function queueing({ runs, turns }: Pick<Memory, "runs"> & { readonly turns: readonly string[] }) {
  const queued = () => sorted(runs).filter(({ state }) => state === "queued");
  const oldestOfEach = (some: readonly Run[]) =>
    some.filter((run, index) => some.findIndex(({ agent }) => agent === run.agent) === index);
  return {
    async active() {
      return sorted(runs).filter(({ state }) => state === "starting" || state === "running");
    },
    async heads() {
      const turn = ({ agent }: Run) => turns.lastIndexOf(agent);
      return oldestOfEach(queued()).sort((a, b) => turn(a) - turn(b));
    },
    async calledBy(id) {
      const isCalled = ({ trigger }: Run) => trigger.kind === "call" && trigger.callerRun === id;
      return oldestOfEach(queued().filter(isCalled));
    },
    async countQueued({ agent, upTo = Infinity }) {
      return Math.min(queued().filter((run) => run.agent === agent).length, upTo);
    },
    async hasQueued(agent, kind) {
      return queued().some((run) => run.agent === agent && run.trigger.kind === kind);
    },
  } satisfies Partial<RunStore>;
}
