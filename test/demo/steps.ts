import { toAlError } from "../../src/base/errors.ts";

/** One step of a demonstration, and how long it took. */
export interface StepRecord {
  readonly name: string;
  readonly ms: number;
}

/** What shows lines of a step to the person who watches. */
export type Say = (line: string) => void;

/** Shows steps as they go and keeps their times. */
export interface Steps {
  readonly records: readonly StepRecord[];
  /** Name of the step that failed, and why, once one has. */
  readonly failure: { readonly step: string; readonly reason: string } | undefined;
  /** Runs one step; what it throws is noted and thrown on. */
  step<T>(name: string, work: (say: Say) => Promise<T>): Promise<T>;
}

/** Steps that are shown line by line, each with the time since the start. */
export function createSteps(write: (line: string) => void): Steps {
  const startedAt = Date.now();
  const records: StepRecord[] = [];
  let failure: Steps["failure"];
  const say = (line: string) => {
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(6);
    for (const part of line.split("\n")) write(`${seconds} s  ${part}`);
  };
  return {
    records,
    get failure() {
      return failure;
    },
    async step(name, work) {
      say(`== ${name}`);
      const begin = Date.now();
      try {
        return await work((line) => say(`   ${line}`));
      } catch (thrown) {
        const { message, hint } = toAlError(thrown);
        failure ??= { step: name, reason: hint === undefined ? message : `${message} ${hint}` };
        throw thrown;
      } finally {
        records.push({ name, ms: Date.now() - begin });
      }
    },
  };
}
