import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countEngines, ENGINES_VARIABLE, type FinishedTest } from "./conformance/engines.ts";
import type { Log } from "./lab/cache.ts";
import { environment } from "./lab/environment.ts";
import { checkoutRoot } from "./lab/names.ts";

/** What one part of the suite came to. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  /** Skipped, pending or todo. */
  readonly skipped: number;
}

/** Runs a program on this terminal as one test that passes when it ends with 0. */
export async function runStep(argv: readonly [string, ...string[]], log: Log): Promise<Totals> {
  const code = await run(argv);
  if (code === 0) return { passed: 1, failed: 0, skipped: 0 };
  log(`FAILED: ${argv.join(" ")} ended with ${code}`);
  return { passed: 0, failed: 1, skipped: 0 };
}

/** What vitest's part came to, with a closing line for every engine that the tests ran on. */
export interface VitestTotals extends Totals {
  readonly engines: readonly string[];
}

/**
 * Runs vitest's projects with its usual report on screen and counts what became of every test.
 * With the lab's tests among them, an engine on which none ran is a failure.
 */
export async function runVitest(projects: readonly string[], log: Log): Promise<VitestTotals> {
  const directory = await mkdtemp(join(tmpdir(), "al-vitest-"));
  try {
    const file = join(directory, "report.json");
    const engines = join(directory, "engines");
    const argv = [
      process.execPath,
      join(checkoutRoot, "node_modules/vitest/vitest.mjs"),
      "run",
      ...projects.map((name) => `--project=${name}`),
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
    ] as const;
    const code = await run(argv, { [ENGINES_VARIABLE]: engines });
    const text = await readFile(file, "utf8").catch(() => undefined);
    const totals = countReport(text, code, log);
    if (!projects.includes("lab")) return { ...totals, engines: [] };
    const { lines, missing } = await countEngines(engines, testsOf(text));
    return { ...totals, failed: totals.failed + missing, engines: lines };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The parts of vitest's JSON report that are read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly FinishedTest[];
  }[];
}

function testsOf(text: string | undefined): readonly FinishedTest[] {
  if (text === undefined) return [];
  return (JSON.parse(text) as Report).testResults.flatMap((one) => one.assertionResults);
}

/**
 * A file that could not run, a crash, an error outside of tests and a run without tests are
 * failures too, though vitest counts no test for them.
 */
export function countReport(text: string | undefined, code: number | string, log: Log): Totals {
  if (text === undefined) {
    log(`FAILED: vitest ended with ${code} and without a report`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const report = JSON.parse(text) as Report;
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  for (const { name } of broken) log(`FAILED: ${name} as a whole`);
  const passed = report.numPassedTests;
  const skipped = report.numPendingTests + report.numTodoTests;
  let failed = report.numFailedTests + broken.length;
  if (passed + failed + skipped === 0) log("FAILED: vitest found no tests");
  else if (code !== 0 && failed === 0)
    log(`FAILED: vitest ended with ${code}, outside of any test`);
  if (failed === 0 && (code !== 0 || passed + skipped === 0)) failed = 1;
  return { passed, failed, skipped };
}

/** The exit code, or the name of the signal that ended it. */
async function run(
  [program, ...args]: readonly [string, ...string[]],
  more: Readonly<Record<string, string>> = {},
): Promise<number | string> {
  const child = spawn(program, args, {
    cwd: checkoutRoot,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...environment, ...more, CI: "1" },
  });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, forward);
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(name, forward);
  return code ?? signal ?? 1;
}
