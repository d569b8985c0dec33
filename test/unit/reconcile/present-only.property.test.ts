import fc from "fast-check";
import { expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import { foreignState } from "../../memory-host/machine.ts";
import { memoryHosts } from "../../memory-host/memory-hosts.ts";
import { memoryCredentials } from "../../memory-host/ports.ts";
import { hostSpec } from "../../memory-host/specs.ts";
import { addForeignThings, SECRET, tamper } from "../../memory-host/tamper.ts";
import { createWorld, type World } from "../../memory-host/world.ts";
import { FIELDS, faults, specWords, tamperings } from "./arbitraries.ts";
import { currentOf, expectConverged, Told } from "./checks.ts";

/** Two controllers of one host: one holds every value, the other only some. */
interface Two {
  readonly world: World;
  /** What the other one passes with. */
  readonly deps: World["deps"];
  readonly values: Map<string, Secret>;
}

function twoControllers(heldByOther: readonly string[]): Two {
  const world = createWorld();
  addForeignThings(world.machine);
  for (const field of FIELDS) world.values.set(field, new Secret(`${SECRET}-${field}`));
  const values = new Map(heldByOther.map((field) => [field, new Secret(`${SECRET}-of-other`)]));
  const { machines, faults: failing } = world;
  const read = (path: string) => values.get(path);
  const hosts = memoryHosts({ machines, read, faults: failing });
  const credentials = memoryCredentials(values);
  return { world, values, deps: { ...world.deps, hosts, credentials } };
}

/** What runs get: path to value, from the live set. */
function liveValues({ machine }: World): Record<string, string> {
  const set = machine.projects.get("acme")?.credentials.get(currentOf(machine)?.credentials ?? "");
  return Object.fromEntries([...(set ?? [])].map(([path, value]) => [path, `${value}`]));
}

/** After these, values that only the host had may be lost or unrecognisable. */
const LOSES = new Set<string>([
  "a credential set is gone",
  "the key of the versions is gone",
  "current.json is gone",
  "current.json is damaged",
  "the inventory is gone",
  "the inventory lists what is gone",
]);

const held = fc.subarray([...FIELDS]);
const before = specWords(fc.constant("r1"));
const after = specWords(fc.constantFrom("r1", "r2"));

test("who does not hold a value keeps what is on the host, whatever else changes and fails", async () => {
  const crashes = fc.array(faults, { maxLength: 3 });
  const given = fc.tuple(before, after, held, tamperings, crashes);
  const property = fc.asyncProperty(given, async ([old, words, own, harm, crashing]) => {
    const { world, deps, values } = twoControllers(own);
    await world.pass(hostSpec(old));
    tamper(
      world,
      harm.filter((one) => !LOSES.has(one)),
    );
    const was = liveValues(world);
    const foreign = foreignState(world.machine, "acme");
    const spec = hostSpec(words);
    const told = new Told();
    for (const armed of crashing) {
      world.faults.arm(armed);
      told.add(await world.pass(spec, { deps, onEvent: told.onEvent }));
    }
    world.faults.arm();
    const result = told.add(await world.pass(spec, { deps, onEvent: told.onEvent }));
    const wanted = fieldsOf(spec);
    const isThere = wanted.every((path) => values.has(path) || was[path] !== undefined);
    if (!isThere) {
      expect(result).toMatchObject({ kind: "failed", error: { code: "credential-missing" } });
      expect(liveValues(world)).toEqual(was);
      return;
    }
    expect(result.kind).toMatch(/^(applied|in-sync)$/);
    expect(await world.pass(spec, { mode: "plan", deps })).toMatchObject({ kind: "in-sync" });
    const expected = wanted.map((path) => [path, values.get(path)?.reveal() ?? was[path]]);
    expect(liveValues(world)).toEqual(Object.fromEntries(expected));
    expect(foreignState(world.machine, "acme")).toBe(foreign);
    told.expectNoSecret(world);
    await world.pass(spec);
    expectConverged(world, spec);
  });
  await fc.assert(property, { numRuns: 400 });
});

test("with values that only the host had lost, nothing is changed by guess", async () => {
  const property = fc.asyncProperty(before, after, tamperings, async (old, words, harm) => {
    const { world, deps } = twoControllers([]);
    await world.pass(hostSpec(old));
    tamper(world, harm);
    const spec = hostSpec(words);
    const result = await world.pass(spec, { deps });
    if (result.kind !== "failed") {
      expect(Object.keys(liveValues(world)).sort()).toEqual(fieldsOf(spec).sort());
      expect(await world.pass(spec, { mode: "plan", deps })).toMatchObject({ kind: "in-sync" });
    } else expect(result).toHaveProperty("error.code", "credential-missing");
    await world.pass(spec);
    expectConverged(world, spec);
  });
  await fc.assert(property, { numRuns: 300 });
});

function fieldsOf({ credentials }: ReturnType<typeof hostSpec>): string[] {
  return credentials.flatMap(({ type, instance, fields }) =>
    fields.map((field) => `${type}/${instance}/${field}`),
  );
}
