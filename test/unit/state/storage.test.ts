import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRunStorage } from "../../../src/state/run-storage.ts";
import { memoryBench } from "../../conformance/memory-storage.ts";
import { openSound, sqliteBench } from "../../conformance/sqlite-storage.ts";
import { contents, perform, type Step, step } from "../../conformance/storage-steps.ts";
import { storageSuite } from "../../conformance/storage-suite.ts";

const CHILD = join(import.meta.dirname, "../../conformance/storage-child.ts");

describe("SQLite", () => storageSuite(async () => sqliteBench()));

it.each([1, 2, 3, 4, 5, 6])(
  "a killed process leaves what it told of, and nothing by half (%i)",
  async (seed) => {
    const directory = mkdtempSync(join(tmpdir(), "al-killed-"));
    const steps = fc.sample(step, { numRuns: 400, seed });
    const told = await killedAfter(directory, steps, seed * 37);
    const database = openSound(join(directory, "state.db"));
    const found = await contents(createRunStorage(database));
    database.close();
    rmSync(directory, { recursive: true });
    const reference = memoryBench().storage();
    for (const each of steps.slice(0, told)) await perform(reference, each);
    const before = await contents(reference);
    await perform(reference, steps[told] as Step);
    // The one after was under way: it is there, or it is not.
    expect([before, await contents(reference)]).toContainEqual(found);
  },
);

/** Has a process take these steps, and kills it; how many it told of. */
async function killedAfter(
  directory: string,
  steps: readonly Step[],
  atLeast: number,
): Promise<number> {
  writeFileSync(join(directory, "steps.json"), JSON.stringify(steps));
  const child = spawn(process.execPath, [CHILD, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let told = 0;
  child.stdout.on("data", (bytes: Buffer) => {
    told += bytes.length;
    if (told >= atLeast) child.kill("SIGKILL");
  });
  await once(child, "close");
  expect(child.signalCode).toBe("SIGKILL");
  expect(told).toBeLessThan(steps.length);
  return told;
}
