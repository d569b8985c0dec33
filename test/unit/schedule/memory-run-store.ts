import { AlError } from "../../../src/base/errors.ts";
import type { NewRun, Run } from "../../../src/core/run.ts";
import type { RunStore } from "../../../src/schedule/ports.ts";

/** Runs in memory, for tests; passes the same suite as the real store. */
export function createMemoryRunStore(): RunStore {
  const runs = new Map<string, Run>();
  const keys = new Map<string, string>();
  const secrets = new Map<string, string>();
  const change = (id: string, from: readonly string[], next: (run: Run) => Run) => {
    const run = runs.get(id);
    if (!run || !from.includes(run.state))
      throw new AlError(id, { code: "run-state", blame: "bug" });
    runs.set(id, next(run));
  };
  const accept = ({ key, ...run }: NewRun): boolean => {
    if (key !== undefined && keys.has(key)) return false;
    if (key !== undefined) keys.set(key, run.id);
    runs.set(run.id, { ...run, state: "queued" });
    return true;
  };
  const sorted = () => [...runs.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
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
        ({ start: _start, killReason: _reason, killDetail: _detail, ...run }) => ({
          ...run,
          state: "queued",
        }),
      );
      secrets.delete(id);
    },
    async running(id, startedAt) {
      change(id, ["starting"], (run) => ({ ...run, state: "running", startedAt }));
    },
    async killing(id, { reason, detail }) {
      const run = runs.get(id);
      if (!run || run.state === "finished" || run.killReason) return;
      runs.set(id, { ...run, killReason: reason, ...(detail && { killDetail: detail }) });
    },
    async finished(id, { startedAt, ...end }, rerun) {
      const run = runs.get(id);
      if (!run || run.state === "finished") return;
      const started = run.startedAt ?? startedAt;
      runs.set(id, {
        ...run,
        ...end,
        ...(started !== undefined && { startedAt: started }),
        state: "finished",
      });
      if (rerun) accept(rerun);
    },
    get: async (id) => runs.get(id),
    unfinished: async () => sorted().filter(({ state }) => state !== "finished"),
    async list({ agent, limit }) {
      const found = sorted().filter((run) => agent === undefined || run.agent === agent);
      return found.reverse().slice(0, limit);
    },
    byKey: async (key) => runs.get(keys.get(key) ?? ""),
    async bySecret(secretHash) {
      return sorted().find(
        ({ id, state }) => secrets.get(id) === secretHash && state !== "finished",
      );
    },
  };
}
