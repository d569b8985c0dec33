import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { environment } from "../lab/environment.ts";
import { EntryHarness, inputFor } from "../unit/agent/entry-harness.ts";

const RUNS = 9;
const TIMED = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null';

/** Processor time of the entry program in a run that asks its model once. */
export interface EntryCpu {
  /** Median, user and system together. */
  readonly ms: number;
  /** The same of `node -e 0`, which every program for Node.js needs. */
  readonly nodeMs: number;
  readonly runs: number;
}

/** Runs the bundle as a process against a scripted model, again and again. */
export async function measureEntryCpu(): Promise<EntryCpu> {
  const harness = await EntryHarness.create();
  try {
    const server = await harness.serve(
      Array.from({ length: RUNS }, () => ({ turns: [{ text: "Done." }] })),
    );
    const ours: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const root = await harness.root(inputFor(server));
      ours.push(await processorTime([harness.program, "--root", root]));
      bare.push(await processorTime(["-e", "0"]));
    }
    return { ms: median(ours), nodeMs: median(bare), runs: RUNS };
  } finally {
    await harness.dispose();
  }
}

/** Milliseconds of processor time that Node.js takes with these arguments. */
async function processorTime(args: readonly string[]): Promise<number> {
  const argv = ["-c", TIMED, "bash", process.execPath, ...args];
  const env = { PATH: environment.PATH };
  const { stderr } = await promisify(execFile)("bash", argv, { env });
  const seconds = stderr.trim().split("\n").at(-1)?.split(" ").map(Number) ?? [];
  return seconds.reduce((sum, part) => sum + part * 1000, 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
