import fc from "fast-check";
import { expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import { treeHash } from "../../../src/core/fingerprint.ts";
import type { ObservedHost, ObservedTree } from "../../../src/core/observed.ts";
import { planHost } from "../../../src/core/plan-host.ts";
import { foreignState, type Machine } from "../../memory-host/machine.ts";
import { observeMachine } from "../../memory-host/observe.ts";
import { hostSpec, type SpecWords } from "../../memory-host/specs.ts";
import { addForeignThings, SECRET, type Tampering, tamper } from "../../memory-host/tamper.ts";
import { createWorld, type World } from "../../memory-host/world.ts";
import { FIELDS, faults, specWords, tamperings } from "./arbitraries.ts";
import {
  currentOf,
  expectConverged,
  expectNothingLeftBehind,
  runningDoors,
  runningIngresses,
  runningRuntimes,
  Told,
} from "./checks.ts";

const before = fc.option(specWords(fc.constantFrom("r1", "r2")), { nil: undefined });
const after = specWords(fc.constantFrom("r1", "r2", "r3"));

/** After these, something lies there that no inventory lists: it is nobody's to delete. */
const UNLISTED = new Set<Tampering>(["the inventory is gone", "a release of nobody lies there"]);

/** A world with foreign things and, when `words` are given, a deployment. */
async function worldWith(words: SpecWords | undefined): Promise<World> {
  const world = createWorld();
  addForeignThings(world.machine);
  for (const field of FIELDS) world.values.set(field, new Secret(`${SECRET}-${field}`));
  if (!words) return world;
  world.machine.readiness = () => 2;
  expect(await world.pass(hostSpec(words))).toMatchObject({ kind: "applied" });
  return world;
}

/** What must be there and as it was, whatever a pass does. */
function survivors(machine: Machine): string {
  const strangers = [...(machine.projects.get("acme")?.strangers ?? [])];
  const run = machine.containers.get("al-acme-run-r1");
  return foreignState(machine, "acme") + JSON.stringify([run, strangers]);
}

test("from any state, one apply converges, the next plan is empty and nothing foreign is touched", async () => {
  const property = fc.asyncProperty(before, tamperings, after, async (old, harm, words) => {
    const world = await worldWith(old);
    tamper(world, harm);
    const spared = survivors(world.machine);
    const told = new Told();
    const spec = hostSpec(words);
    const result = told.add(await world.pass(spec, told));
    expect(result.kind).toMatch(/^(applied|in-sync)$/);
    expect(told.add(await world.pass(spec, { mode: "plan" }))).toMatchObject({ kind: "in-sync" });
    expectConverged(world, spec);
    if (!harm.some((one) => UNLISTED.has(one))) expectNothingLeftBehind(world, spec);
    expect(survivors(world.machine)).toBe(spared);
    told.expectNoSecret(world);
  });
  await fc.assert(property, { numRuns: 300 });
});

test("whatever fails during passes, later ones converge, and nothing foreign is touched", async () => {
  const crashes = fc.array(faults, { minLength: 1, maxLength: 4 });
  const property = fc.asyncProperty(before, tamperings, after, crashes, async (...given) => {
    const [old, harm, words, crashing] = given;
    const world = await worldWith(old);
    tamper(world, harm);
    const spared = survivors(world.machine);
    const told = new Told();
    const spec = hostSpec(words);
    for (const armed of crashing) {
      world.faults.arm(armed);
      told.add(await world.pass(spec, told));
    }
    world.faults.arm();
    expect(told.add(await world.pass(spec, told)).kind).toMatch(/^(applied|in-sync)$/);
    expect(await world.pass(spec, { mode: "plan" })).toMatchObject({ kind: "in-sync" });
    expectConverged(world, spec);
    if (!harm.some((one) => UNLISTED.has(one))) expectNothingLeftBehind(world, spec);
    expect(survivors(world.machine)).toBe(spared);
    expect(world.machine.connections).toBe(0);
    told.expectNoSecret(world);
  });
  await fc.assert(property, { numRuns: 400 });
});

test("what fails before the switch changes nothing that is live", async () => {
  const next = specWords(fc.constant("r3"));
  const property = fc.asyncProperty(
    specWords(fc.constant("r1")),
    next,
    faults,
    async (...given) => {
      const [old, words, armed] = given;
      const world = await worldWith(old);
      const live = liveState(world.machine);
      const told = new Told();
      world.faults.arm(armed);
      const result = await world.pass(hostSpec(words), told);
      const switched = told.events.some(
        (event) => event.kind === "action-started" && event.action.phase !== "prepare",
      );
      if (switched) return;
      expect(result).toMatchObject({ kind: "failed" });
      expect(result).toHaveProperty("aftermath", "untouched");
      expect(liveState(world.machine)).toEqual(live);
    },
  );
  await fc.assert(property, { numRuns: 300 });
});

test("a failed confirmation puts the previous release back, says so, and keeps new credentials", async () => {
  const next = specWords(fc.constant("r3"));
  const property = fc.asyncProperty(before, next, async (old, words) => {
    const world = await worldWith(old);
    const spec = hostSpec(words);
    const previous = currentOf(world.machine);
    world.machine.readiness = ({ revision }) => (revision === spec.revision ? "never" : 0);
    const told = new Told();
    const result = told.add(await world.pass(spec, told));
    expect(result).toMatchObject({ kind: "failed", error: { code: "not-confirmed" } });
    expect(result).toHaveProperty("aftermath", previous ? "restored" : "withdrawn");
    expect(told.events.map(({ kind }) => kind)).toContain("rolling-back");
    const { held } = await world.deps.credentials.holdings(spec.credentials, keyOf(world));
    const credentials = treeHash(held);
    expect(currentOf(world.machine)).toEqual(previous && { ...previous, credentials });
    expect(runningRuntimes(world.machine)).toEqual(previous ? [previous.runtime] : []);
    expect(runningDoors(world.machine)).toEqual(previous?.door ? [previous.door] : []);
    expect(runningIngresses(world.machine)).toEqual(previous?.ingress ? [previous.ingress] : []);
    told.expectNoSecret(world);
    world.machine.readiness = () => 0;
    await world.pass(spec);
    expectConverged(world, spec);
  });
  await fc.assert(property, { numRuns: 100 });
});

test("equal observations give byte-equal plans, in whatever order a host lists things", async () => {
  const property = fc.asyncProperty(before, tamperings, after, async (old, harm, words) => {
    const world = await worldWith(old);
    tamper(world, harm);
    const spec = hostSpec(words);
    const observed = observeMachine(world.machine, "acme");
    const key = observed.credentialKey ?? keyOf(world);
    const { held: versions } = await world.deps.credentials.holdings(spec.credentials, key);
    const plan = JSON.stringify(planHost(spec, observed, versions));
    expect(JSON.stringify(planHost(hostSpec(words), reversed(observed), versions))).toBe(plan);
  });
  await fc.assert(property, { numRuns: 200 });
});

function keyOf({ machine, approvals }: World): string {
  return machine.projects.get("acme")?.key ?? approvals.proposedKey("web-1").reveal();
}

/** The same observation with every list the other way round. */
function reversed(observed: ObservedHost): ObservedHost {
  return {
    ...observed,
    inventory: { ...observed.inventory, items: observed.inventory.items.toReversed() },
    releases: observed.releases.map(reversedTree).toReversed(),
    credentialSets: observed.credentialSets.map(reversedTree).toReversed(),
    temporary: observed.temporary.toReversed(),
    images: observed.images.toReversed(),
    containers: observed.containers.toReversed(),
    subnets: observed.subnets.toReversed(),
    neighbours: observed.neighbours.toReversed(),
    entries: observed.entries.toReversed(),
  };
}

function reversedTree({ name, files, oddities }: ObservedTree): ObservedTree {
  return { name, files: files.toReversed(), oddities: oddities.toReversed() };
}

/** What is live: what `current.json` says, and everything it names or that runs. */
function liveState(machine: Machine) {
  const current = currentOf(machine);
  const files = machine.projects.get("acme");
  return {
    current,
    release: [...(files?.releases.get(current?.release ?? "") ?? [])],
    credentials: [...(files?.credentials.get(current?.credentials ?? "") ?? [])],
    runtime: machine.containers.get(current?.runtime ?? ""),
    door: machine.containers.get(current?.door ?? ""),
    ingress: machine.containers.get(current?.ingress ?? ""),
    running: [runningRuntimes(machine), runningDoors(machine), runningIngresses(machine)],
    network: machine.networks.get("al-acme"),
  };
}
