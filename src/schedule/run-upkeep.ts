import type { FoundRun } from "../core/run.ts";

/** What keeps the memory of runs in order, beside the scheduler. Durable when a promise resolves. */
export interface RunUpkeep {
  /** Records a run that is found under way as running: a new one, or one that is queued. */
  restore(found: FoundRun): Promise<void>;
}
