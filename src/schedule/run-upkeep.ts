import type { FoundRun, Run } from "../core/run.ts";

/** What keeps the memory of runs in order, beside the scheduler. Durable when a promise resolves. */
export interface RunUpkeep {
  /** Records a run that is found under way as running: a new one, or one that is queued. */
  restore(found: FoundRun): Promise<void>;
  /**
   * Finished runs that ended before a time (ms), and that nobody needs, in the order of their ends: what a
   * run called is kept until that run has ended.
   */
  forgettable(options: {
    readonly before: number;
    readonly limit: number;
  }): Promise<readonly Pick<Run, "id" | "agent">[]>;
  /** Forgets finished runs and all that belongs to them; others stay. */
  forget(ids: readonly string[]): Promise<void>;
  /**
   * Forgets up to so many return values of runs that ended before a time (ms) and whose caller has ended.
   * True when there may be more.
   */
  forgetReturnValues(options: {
    readonly before: number;
    readonly limit: number;
  }): Promise<boolean>;
  /** Gives back what disk space can be given back at little cost. */
  compact(): Promise<void>;
}
