import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { z } from "zod";
import { Secret } from "../../src/base/secret.ts";
import { resultLines } from "../../src/cli/render/results.ts";
import { stopByOperator } from "../memory-host/machine.ts";
import { memoryApprovals } from "../memory-host/ports.ts";
import { hostSpec, type SpecWords } from "../memory-host/specs.ts";
import { TAMPERINGS, type Tampering, tamper } from "../memory-host/tamper.ts";
import { createWorld, type World } from "../memory-host/world.ts";

// A case is TOML, a line of dashes, and what `al plan` prints. After a change that is meant to change
// plans, `npx vitest run test/golden -u` writes the second part anew; read the difference.

const CASES = join(import.meta.dirname, "plan");
const SEPARATOR = "-----\n";

const Words = z.strictObject({
  revision: z.string(),
  runtime: z.string().exactOptional(),
  base: z.string().exactOptional(),
  port: z.int().exactOptional(),
  door: z.string().exactOptional(),
  public: z.string().exactOptional(),
  ingress: z.string().exactOptional(),
  publicControl: z.boolean().exactOptional(),
  agents: z.record(
    z.string(),
    z.strictObject({
      actions: z.string(),
      image: z.string().exactOptional(),
      credentials: z.array(z.string()).exactOptional(),
    }),
  ),
});

/** What was deployed, what happened since, and what is asked for now. */
const Case = z.strictObject({
  deployed: Words.optional(),
  since: z.array(z.enum(Object.keys(TAMPERINGS) as [Tampering, ...Tampering[]])).default([]),
  reachable: z.boolean().default(true),
  approved: z.boolean().default(true),
  /** Credentials that are not, or no longer, in the store of who plans. */
  notHeld: z.array(z.string()).default([]),
  drift: z.enum(["heal", "report"]).default("heal"),
  /** An operator stopped the host. */
  stopped: z.boolean().default(false),
  desired: Words,
});

test.each(readdirSync(CASES).sort())("%s prints as written", async (name) => {
  const path = join(CASES, name);
  const [input = ""] = readFileSync(path, "utf8").split(SEPARATOR, 1);
  const printed = await planOf(Case.parse(parse(input)));
  await expect(`${input}${SEPARATOR}${printed}`).toMatchFileSnapshot(path);
});

async function planOf(facts: z.infer<typeof Case>): Promise<string> {
  const world = createWorld();
  const { deployed, desired, since } = facts;
  holdCredentials(world, [...(deployed ? [deployed] : []), desired]);
  if (deployed) {
    const applied = await world.pass(hostSpec(deployed));
    expect(resultLines(applied).join("\n")).toContain("confirmed");
  }
  tamper(world, since);
  if (facts.stopped) stopByOperator(world.machine, "acme");
  for (const path of facts.notHeld) world.values.delete(path);
  world.machine.unreachable = !facts.reachable;
  const deps = facts.approved ? world.deps : { ...world.deps, approvals: memoryApprovals() };
  const result = await world.pass(hostSpec(desired), { mode: "plan", deps, drift: facts.drift });
  return `${resultLines(result).join("\n")}\n`;
}

function holdCredentials({ values }: World, all: readonly SpecWords[]): void {
  for (const { agents } of all) {
    for (const { credentials = [] } of Object.values(agents)) {
      for (const path of credentials) values.set(path, new Secret(`value of ${path}`));
    }
  }
}
