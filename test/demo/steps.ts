import { toAlError } from "../../src/base/errors.ts";

/** One step of a demonstration, and how long it took. */
export interface StepRecord {
  readonly name: string;
  readonly ms: number;
}

/** Shows steps as they go and keeps their times. */
export interface Steps {
  readonly records: readonly StepRecord[];
  /** Runs one step; a failure is thrown on as {@link StepFailure}. */
  step<T>(name: string, work: (say: (line: string) => void) => Promise<T>): Promise<T>;
}

/** A step that failed: which, and why. */
export class StepFailure extends Error {
  readonly step: string;

  constructor(step: string, cause: unknown) {
    const { message, hint } = toAlError(cause);
    super(hint === undefined ? message : `${message}\n${hint}`, { cause });
    this.step = step;
  }
}

/** Steps that are shown on a stream, each line with the time since the start. */
export function createSteps(write: (line: string) => void): Steps {
  const startedAt = Date.now();
  const records: StepRecord[] = [];
  const say = (line: string) => {
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(6);
    for (const part of line.split("\n")) write(`${seconds} s  ${part}`);
  };
  return {
    records,
    async step(name, work) {
      say(`== ${name}`);
      const begin = Date.now();
      try {
        return await work((line) => say(`   ${line}`));
      } catch (thrown) {
        throw new StepFailure(name, thrown);
      } finally {
        records.push({ name, ms: Date.now() - begin });
      }
    },
  };
}
