import type { Run } from "../core/run.ts";
import { cancelQueued } from "./cancel-hopeless.ts";
import { refuseUnknownAgent } from "./holds.ts";
import type { RunQueuePorts } from "./run-queue.ts";
import type { Serial } from "./serial.ts";

/** What became of an agent's runs (ids) that were to be ended. `failed`: still running, and to be killed. */
export interface KilledRuns {
  readonly killed: readonly string[];
  readonly cancelled: readonly string[];
  readonly failed: readonly string[];
}

/** Which of an agent's runs are to be ended; `why` is recorded. */
export interface KillAgent {
  /** Those that wait, too. */
  readonly queued: boolean;
  readonly why?: string;
}

/** Ends runs on request. */
export interface EndRuns {
  /** True only when it was running or queued, and is not any more. */
  kill(runId: string, why?: string): Promise<boolean>;
  /** @throws AlError `unknown-agent` (user) for one that is not live and has no runs. */
  killAgent(agent: string, options: KillAgent): Promise<KilledRuns>;
}

/** How long the end of a run that had no running container may take. */
const END_WAIT_MS = 10_000;

/** What ending runs needs of the queue. */
interface Means {
  /** Runs work while nothing else starts. */
  readonly exclusive: Serial;
  readonly signal: AbortSignal;
  /** Resolves when nobody carries the run any more. */
  readonly carried: (runId: string) => Promise<void> | undefined;
}

/** Ends runs: the order is stored before it is carried out. */
export function createEndRuns(ports: RunQueuePorts, means: Means): EndRuns {
  const { store, runner, clock } = ports;
  const { exclusive, signal } = means;
  const order = (run: Run, why: string | undefined) =>
    store.killing(run.id, { reason: "killed", ...(why !== undefined && { detail: why }) });
  const carryOut = async (run: Run): Promise<"killed" | "ended" | "failed"> => {
    if (await runner.kill(run, signal)) return "killed";
    // It has ended already, or ends before its container begins: that is stored in a moment.
    const enough = new AbortController();
    const waited = clock.sleep(END_WAIT_MS, AbortSignal.any([signal, enough.signal]));
    await Promise.race([means.carried(run.id), waited.catch(() => undefined)]);
    enough.abort();
    const { state, outcome } = (await store.get(run.id)) ?? run;
    if (state !== "finished") return "failed";
    return outcome === "killed" ? "killed" : "ended";
  };
  return {
    async kill(runId, why) {
      const found = await exclusive(async () => {
        const run = await store.get(runId);
        if (!run || run.state === "finished") return false;
        if (run.state !== "queued") {
          await order(run, why);
          return run;
        }
        const detail = why ?? "on request";
        await store.finished(runId, { outcome: "cancelled", endedAt: clock.now(), detail });
        return true;
      });
      return typeof found === "boolean" ? found : (await carryOut(found)) === "killed";
    },
    async killAgent(agent, { queued, why }) {
      const { active, cancelled } = await exclusive(async () => {
        const active = (await store.active()).filter((run) => run.agent === agent);
        for (const run of active) await order(run, why);
        const cancelled = queued ? await cancelQueued(ports, agent, why ?? "on request") : [];
        const release = await ports.releases.current();
        if (release && active.length + cancelled.length === 0) refuseUnknownAgent(release, agent);
        return { active, cancelled };
      });
      const results = await Promise.allSettled(active.map(carryOut));
      const which = (wanted: string) =>
        active.flatMap(({ id }, index) => {
          const result = results[index];
          const became = result?.status === "fulfilled" ? result.value : "failed";
          return became === wanted ? [id] : [];
        });
      const killed = which("killed");
      const failed = which("failed");
      ports.logger.info({ agent, killed, cancelled: cancelled.length, failed }, "agent killed");
      return { killed, cancelled, failed };
    },
  };
}
