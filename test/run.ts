import { existsSync } from "node:fs";
import { join } from "node:path";
import { stdout } from "node:process";
import { AlError } from "../src/base/errors.ts";
import { checkoutRoot } from "./lab/names.ts";
import { setUpLab } from "./lab/set-up.ts";
import { runStep, runVitest, type Totals } from "./steps.ts";

/**
 * The whole suite: check, build, a machine ready for hosts, every test; `npm test`.
 * Its closing lines name every engine that the host port was tested on, and how many tests that were;
 * its last line is `N passed, N failed`; its exit code is 0 only if all ran and none failed.
 */
const say = (line: string) => stdout.write(`${line}\n`);

const started = Date.now();
const totals: Totals[] = [];
const engines: string[] = [];
process.exitCode = 1;
try {
  await everything();
} catch (thrown) {
  say(`FAILED: the suite itself: ${describe(thrown)}`);
  totals.push({ passed: 0, failed: 1, skipped: 0 });
}
report();

async function everything(): Promise<void> {
  say("== check: format, lint, types");
  totals.push(await runStep(["npm", "run", "--silent", "check"], say));
  if (existsSync(join(checkoutRoot, "src/build.ts"))) {
    say("== build");
    totals.push(await runStep(["npm", "run", "--silent", "build"], say));
  }
  say("== lab: engine, base image, host image");
  const hasLab = await prepareLab();
  if (!hasLab) totals.push({ passed: 0, failed: 1, skipped: 0 });
  say(hasLab ? "== tests: unit, lab" : "== tests: unit alone, the lab could not be set up");
  const tests = await runVitest(hasLab ? ["unit", "lab"] : ["unit"], say);
  totals.push(tests);
  engines.push(...tests.engines);
}

async function prepareLab(): Promise<boolean> {
  try {
    const { engine, baseImage, hostImage } = await setUpLab({ log: (line) => say(`lab: ${line}`) });
    const kind = engine.own ? "the lab's own" : "this machine's";
    say(`lab: Docker ${engine.version} (${kind}), hosts from ${hostImage}, base ${baseImage}`);
    return true;
  } catch (thrown) {
    say(`FAILED: lab: ${describe(thrown)}`);
    return false;
  }
}

function report(): void {
  const sum = (pick: (part: Totals) => number) =>
    totals.reduce((total, part) => total + pick(part), 0);
  const [passed, failed, skipped] = [
    sum((part) => part.passed),
    sum((part) => part.failed),
    sum((part) => part.skipped),
  ];
  for (const line of engines) say(line);
  if (skipped > 0) say(`FAILED: ${skipped} tests were skipped or left to do; none may be`);
  say(`took ${Math.round((Date.now() - started) / 1000)} seconds`);
  const ok = failed === 0 && skipped === 0 && passed > 0;
  stdout.write(`${passed} passed, ${failed + skipped} failed\n`, () => process.exit(ok ? 0 : 1));
}

function describe(thrown: unknown): string {
  if (thrown instanceof AlError) return `${thrown.message}\n${thrown.hint ?? ""}`.trimEnd();
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
