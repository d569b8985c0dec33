import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { z } from "zod";
import { summaryLines } from "../../src/cli/render/fleet.ts";
import { resultLines } from "../../src/cli/render/results.ts";
import type { HostResult } from "../../src/core/pass.ts";
import { stopByOperator } from "../memory-host/machine.ts";
import { fleetWorld } from "../unit/reconcile/fleet-harness.ts";

// A case is TOML, a line of dashes, what `al plan` prints of a whole fleet, and which end of each host a
// person who watches was told of. `npx vitest run test/golden -u` writes the second part anew.

const CASES = join(import.meta.dirname, "fleet");
const SEPARATOR = "-----\n";

/** Host to the agents placed there, with spaces between: what was applied, and what is asked for now. */
const Case = z.strictObject({
  applied: z.record(z.string(), z.string()),
  /** Host to a run that is under way there. */
  runs: z.record(z.string(), z.string()).default({}),
  /** Hosts that an operator stopped since. */
  stopped: z.array(z.string()).default([]),
  /** Hosts whose machine was not made yet. */
  unmade: z.array(z.string()).default([]),
  desired: z.record(z.string(), z.string()),
});

test.each(readdirSync(CASES).sort())("%s prints as written", async (name) => {
  const path = join(CASES, name);
  const [input = ""] = readFileSync(path, "utf8").split(SEPARATOR, 1);
  const printed = await planOf(Case.parse(parse(input)));
  await expect(`${input}${SEPARATOR}${printed}`).toMatchFileSnapshot(path);
});

async function planOf(of: z.infer<typeof Case>): Promise<string> {
  const { applied, runs, stopped, unmade, desired } = of;
  const hosts = [...new Set([...Object.keys(applied), ...Object.keys(desired)])].sort();
  const fleet = fleetWorld(hosts);
  await fleet.pass("r1", applied);
  const labels = { "action-llama.project": "acme", "action-llama.role": "run" };
  for (const [host, run] of Object.entries(runs)) {
    fleet.machine(host).containers.set(run, { image: "i", labels, state: "running" });
  }
  for (const host of stopped) stopByOperator(fleet.machine(host), "acme");
  const told: string[] = [];
  const onResult = ({ host, kind }: HostResult) => told.push(`told: ${host} ${kind}`);
  const results = Object.values(
    await fleet.pass("r2", desired, { mode: "plan", unmade, onResult }),
  );
  const lines = [...results.flatMap(resultLines), ...summaryLines(results), ...told.sort()];
  return `${lines.join("\n")}\n`;
}
