import type { Logger } from "../base/logger.ts";
import type { Run } from "../core/run.ts";
import { mostUsage, overRunLimit, type TokenUsage } from "../core/run-limits.ts";
import type { RunnerPort, RunStore } from "./ports.ts";

interface Ports {
  readonly store: RunStore;
  readonly runner: RunnerPort;
  readonly logger: Logger;
}

/** How a budget's effects are carried out. */
interface Means {
  /** Tries until it succeeds; rejects when the run is let go of. */
  readonly insist: <T>(work: () => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

/** What a run uses, while it goes on. */
export interface RunBudget {
  /** To be told of every figure that the run gives. */
  seen(usage: TokenUsage): void;
  /** Resolves when all that was seen is stored, and a run over its limits is killed; never rejects. */
  settled(): Promise<void>;
}

/** Stores what a run uses, and kills it once that is over a limit it was started with. */
export function followBudget(ports: Ports, run: Run, { insist, signal }: Means): RunBudget {
  const { store, runner, logger } = ports;
  let latest = run.usage;
  let killed = false;
  let isStoring = false;
  let work: Promise<void> = Promise.resolve();
  const then = (step: () => Promise<unknown>) => {
    work = work.then(() => insist(step)).then(ignore, ignore);
  };
  const check = () => {
    const reason = overRunLimit(run.start?.limits, latest);
    if (reason === undefined || killed) return;
    killed = true;
    logger.warn({ run: run.id, agent: run.agent, reason }, "run is over its budget and is killed");
    then(() => store.killing(run.id, { reason: "over-budget", detail: reason }));
    then(() => runner.kill(run, signal));
  };
  // It may have been over before an earlier process could act on it.
  check();
  return {
    seen(usage) {
      const most = mostUsage(latest, usage);
      latest = most;
      check();
      // A run may write such lines without end: those that come together are stored as one.
      if (isStoring) return;
      isStoring = true;
      then(() => {
        isStoring = false;
        return store.used(run.id, latest ?? most);
      });
    },
    settled: () => work,
  };
}

function ignore(): void {}
