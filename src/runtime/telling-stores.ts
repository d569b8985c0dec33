import type { Run } from "../core/run.ts";
import type { EventHub } from "../gateway/event-hub.ts";
import type { WebhookReceipts } from "../gateway/webhook-ports.ts";
import type { LockStore } from "../schedule/locks.ts";
import type { RunStore } from "../schedule/ports.ts";
import type { SignalStore } from "../schedule/signals.ts";

type Emit = EventHub["emit"];

/** The same store, which tells of each run whose state it has stored, and of the lock that a run's end frees. */
export function tellingRuns(
  store: RunStore,
  { emit, locks, now }: { emit: Emit; locks: Pick<LockStore, "heldBy">; now: () => number },
): RunStore {
  const tell = async (id: string) => {
    const run = await store.get(id);
    if (run) emit(runEvent(run));
  };
  return {
    ...store,
    async accept(run) {
      const accepted = await store.accept(run);
      if (accepted) emit(runEvent({ ...run, state: "queued" }));
      return accepted;
    },
    async starting(id, intent) {
      await store.starting(id, intent);
      await tell(id);
    },
    async requeue(id) {
      const requeued = await store.requeue(id);
      if (requeued) await tell(id);
      return requeued;
    },
    async running(id, startedAt) {
      await store.running(id, startedAt);
      await tell(id);
    },
    async finished(id, result, rerun) {
      const held = await locks.heldBy(id, now());
      await store.finished(id, result, rerun);
      if (held) {
        const { resourceKey, run, agent } = held;
        emit({ kind: "lock", change: "released", resourceKey, run, agent });
      }
      await tell(id);
      if (rerun) await tell(rerun.id);
    },
    async finishQueued(agent, result, limit) {
      const ids = await store.finishQueued(agent, result, limit);
      for (const id of ids) await tell(id);
      return ids;
    },
  };
}

/** The same receipts, which tell of each run that was stored with one. */
export function tellingReceipts(receipts: WebhookReceipts, emit: Emit): WebhookReceipts {
  return {
    ...receipts,
    async accept(deliveries) {
      const stored = await receipts.accept(deliveries);
      const runs = deliveries.flatMap((delivery, index) => (stored[index] ? delivery.runs : []));
      for (const run of runs) emit(runEvent({ ...run, state: "queued" }));
      return stored;
    },
  };
}

/** The same locks, which tell who took one and who gave it back. */
export function tellingLocks(
  locks: LockStore,
  { emit, runs }: { emit: Emit; runs: Pick<RunStore, "get"> },
): LockStore {
  const tell = async (change: "acquired" | "released", run: string, resourceKey: string) => {
    const agent = (await runs.get(run))?.agent ?? "";
    emit({ kind: "lock", change, resourceKey, run, agent });
  };
  return {
    ...locks,
    async acquire(request) {
      const answer = await locks.acquire(request);
      if (answer.kind === "held") await tell("acquired", request.run, request.resourceKey);
      return answer;
    },
    async release(request) {
      const answer = await locks.release(request);
      if (answer.kind === "released") await tell("released", request.run, request.resourceKey);
      return answer;
    },
  };
}

/** The same signals, which tell of each that was stored; not what a run returns. */
export function tellingSignals(signals: SignalStore, emit: Emit): SignalStore {
  return {
    ...signals,
    async askRerun(run) {
      const stored = await signals.askRerun(run);
      if (stored) emit({ kind: "signal", run, signal: "rerun" });
      return stored;
    },
    async setStatus(run, text) {
      const stored = await signals.setStatus(run, text);
      if (stored) emit({ kind: "signal", run, signal: "status", text });
      return stored;
    },
    async setReturnValue(run, value) {
      const stored = await signals.setReturnValue(run, value);
      if (stored) emit({ kind: "signal", run, signal: "return" });
      return stored;
    },
  };
}

function runEvent(
  run: Pick<Run, "id" | "agent" | "state" | "rerunOf" | "outcome" | "exitCode" | "detail"> & {
    readonly trigger: { readonly kind: string };
  },
): Parameters<Emit>[0] {
  const { id, agent, state, trigger, rerunOf, outcome, exitCode, detail } = run;
  return {
    ...{ kind: "run", run: id, agent, state, trigger: trigger.kind },
    ...(rerunOf !== undefined && { rerunOf }),
    ...(outcome !== undefined && { outcome }),
    ...(exitCode !== undefined && { exitCode }),
    ...(detail !== undefined && { detail }),
  };
}
