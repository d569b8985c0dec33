import type { Json } from "../base/canonical-json.ts";

/**
 * What runs say of themselves while they run. Durable when a promise resolves; false when the run has
 * ended, and nothing is stored then.
 */
export interface SignalStore {
  /** The run wants to be run again, should it end well. */
  askRerun(run: string): Promise<boolean>;
  /** One line on what the run is doing; the last one counts. */
  setStatus(run: string, text: string): Promise<boolean>;
  /** The answer to the agent that called; the last one counts. */
  setReturnValue(run: string, value: Json): Promise<boolean>;
  /** Also of a run that has ended. */
  returnValue(run: string): Promise<Json | undefined>;
}
