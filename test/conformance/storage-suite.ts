import fc from "fast-check";
import { expect, it } from "vitest";
import { memoryBench } from "./memory-storage.ts";
import type { StorageBench } from "./storage.ts";
import { contents, perform, type Step, step } from "./storage-steps.ts";

const sequence = fc.array(fc.record({ step, diesAt: fc.option(fc.integer({ min: 1, max: 4 })) }), {
  minLength: 10,
  maxLength: 40,
});

/** What every storage does: the same as the one in memory, and nothing by halves. */
export function storageSuite(open: () => Promise<StorageBench>, { numRuns = 50 } = {}): void {
  it("does what the reference does, though its process dies at any point", async () => {
    const died = { inside: 0, after: 0 };
    await fc.assert(
      fc.asyncProperty(sequence, async (steps) => {
        const bench = await open();
        try {
          const reference = memoryBench();
          for (const each of steps) {
            const answers = await carryOut(bench, reference, each);
            if (typeof answers === "string") died[answers] += 1;
            else expect(answers.found).toEqual(answers.wanted);
            expect(await contents(bench.storage())).toEqual(await contents(reference.storage()));
          }
        } finally {
          await bench.dispose();
        }
      }),
      { numRuns },
    );
    expect(died.inside).toBeGreaterThan(numRuns);
    expect(died.after).toBeGreaterThan(numRuns);
  }, 120_000);
}

/** What is done by half at a process's death is as if it had not begun. */
async function carryOut(
  bench: StorageBench,
  reference: StorageBench,
  { step: each, diesAt }: { readonly step: Step; readonly diesAt: number | null },
): Promise<"inside" | "after" | { readonly found: unknown; readonly wanted: unknown }> {
  const wanted = () => perform(reference.storage(), each);
  const found = () => perform(bench.storage(), each);
  if (diesAt === null) return { found: await found(), wanted: await wanted() };
  const where = await bench.dieIn(found, diesAt);
  if (where === "after") await wanted();
  return where;
}
