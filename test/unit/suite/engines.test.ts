import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { countEngines, ENGINES, onEngine } from "../../conformance/engines.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "al-engines-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const tests = ENGINES.flatMap((name) => [
  { status: "passed", ancestorTitles: [onEngine(name), "files"] },
  { status: "passed", ancestorTitles: [onEngine(name)] },
  { status: "failed", ancestorTitles: [onEngine(name)] },
]);

test("every engine is named with what it is and how many tests passed on it", async () => {
  for (const name of ENGINES) writeFileSync(join(directory, name), `docker of ${name}`);
  const { lines, missing } = await countEngines(directory, tests);
  expect(missing).toBe(0);
  expect(lines).toEqual(ENGINES.map((name) => `engine ${name}: docker of ${name}: 2 tests`));
});

test("an engine on which no test passed, or that never answered, is a failure", async () => {
  for (const name of ENGINES.slice(1)) writeFileSync(join(directory, name), "docker");
  const ran = tests.filter(({ ancestorTitles }) => ancestorTitles[0] !== onEngine("trixie"));
  const { lines, missing } = await countEngines(directory, ran);
  expect(missing).toBe(2);
  expect(lines[0]).toBe("FAILED: engine in memory: no test ran on it");
  expect(lines[3]).toBe("FAILED: engine trixie: no test ran on it");
  expect(await countEngines(join(directory, "nowhere"), [])).toMatchObject({
    missing: ENGINES.length,
  });
});
