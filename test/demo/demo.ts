import { stdout } from "node:process";
import { parseArgs } from "node:util";
import { runDemo } from "./run-demo.ts";
import { createSteps } from "./steps.ts";

/**
 * `npm run demo`: the main job, for real, from an empty repository to two finished runs.
 * Its last line on standard output is one JSON object; a failure names its step and exits with 1.
 */
const { values } = parseArgs({ options: { keep: { type: "boolean", default: false } } });

const steps = createSteps((line) => stdout.write(`${line}\n`));
const interrupt = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => interrupt.abort(new Error(`interrupted by ${name}`)));
}

let facts: Record<string, unknown> = {};
try {
  facts = await runDemo(steps, { keep: values.keep, signal: interrupt.signal });
} catch (thrown) {
  facts = steps.failure ? {} : { reason: String(thrown) };
}
const ok = steps.failure === undefined && !("reason" in facts);
if (steps.failure) stdout.write(`FAILED in "${steps.failure.step}": ${steps.failure.reason}\n`);
const summary = { ok, steps: steps.records, ...facts, ...steps.failure };
stdout.write(`${JSON.stringify(summary)}\n`, () => process.exit(ok ? 0 : 1));
