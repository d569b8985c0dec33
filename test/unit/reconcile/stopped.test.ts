import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import { exitCodeOf } from "../../../src/cli/exit.ts";
import { runPush } from "../../../src/reconcile/push.ts";
import { type Machine, startByOperator, stopByOperator } from "../../memory-host/machine.ts";
import { addressOf, hostSpec } from "../../memory-host/specs.ts";
import { addForeignThings, tamper } from "../../memory-host/tamper.ts";
import { createWorld, REMOTE, ROLLOUT, type World } from "../../memory-host/world.ts";
import { FIELDS, faults, specWords, tamperings } from "./arbitraries.ts";
import { currentOf, expectConverged, runningRuntimes, Told } from "./checks.ts";
import { endControllers, fleetOf, startController } from "./controller-harness.ts";
import { fleetWorld, kinds } from "./fleet-harness.ts";

afterEach(endControllers);

const TOKEN = "github_token/default/token";
const HOLD = { by: "ann@laptop", since: 1769893445000 };
const agents = { dev: { actions: "Fix issues.", credentials: [TOKEN] } };
const first = hostSpec({ revision: "r1", agents });
const second = hostSpec({ revision: "r2", agents: { dev: { actions: "Review." } } });

async function deployed(spec = first): Promise<World> {
  const world = createWorld();
  world.values.set(TOKEN, new Secret("value"));
  expect(await world.pass(spec)).toMatchObject({ kind: "applied" });
  world.faults.arm();
  return world;
}

/** All of the project that lies on the machine, but for what looking at it counts. */
function stateOf({ projects, containers, images, networks }: Machine): string {
  const files = projects.get("acme");
  const trees = [files?.releases, files?.credentials].map((kind) =>
    [...(kind ?? [])].map(([hash, tree]) => [hash, [...tree]]),
  );
  const rest = [files?.current, files?.inventory, files?.key, files?.stopped];
  return JSON.stringify([trees, rest, [...containers], [...images], [...networks]]);
}

test("a stopped host is left alone, whatever was asked and whatever was done to it", async () => {
  const after = specWords(fc.constantFrom("r1", "r2", "r3"));
  const before = specWords(fc.constant("r1"));
  const property = fc.asyncProperty(before, tamperings, after, async (old, harm, words) => {
    const world = createWorld();
    addForeignThings(world.machine);
    for (const field of FIELDS) world.values.set(field, new Secret(`value of ${field}`));
    expect(await world.pass(hostSpec(old))).toMatchObject({ kind: "applied" });
    tamper(world, harm);
    stopByOperator(world.machine, "acme");
    const state = stateOf(world.machine);
    world.faults.arm();
    for (const mode of ["plan", "apply"] as const) {
      const result = await world.pass(hostSpec(words), { mode });
      expect(result).toMatchObject({ kind: "stopped", stopped: HOLD });
    }
    expect(world.faults.calls).toEqual(["observe", "observe"]);
    expect(stateOf(world.machine)).toBe(state);
    startByOperator(world.machine, "acme");
    expect((await world.pass(hostSpec(words))).kind).toMatch(/^(applied|in-sync)$/);
    expectConverged(world, hostSpec(words));
  });
  await fc.assert(property, { numRuns: 200 });
});

test("stopped at any moment of a pass, nothing runs from then on; started, it converges", async () => {
  const cases = fc.record({
    old: fc.option(specWords(fc.constant("r1")), { nil: undefined }),
    harm: tamperings,
    words: specWords(fc.constantFrom("r1", "r2")),
    at: fc.nat({ max: 40 }),
    others: fc.oneof(fc.constant([]), faults),
  });
  const property = fc.asyncProperty(cases, async ({ old, harm, words, at, others }) => {
    const world = createWorld();
    for (const field of FIELDS) world.values.set(field, new Secret(`value of ${field}`));
    if (old) expect(await world.pass(hostSpec(old))).toMatchObject({ kind: "applied" });
    tamper(world, harm);
    world.machine.readiness = () => 2;
    const spec = hostSpec(words);
    const told = new Told();
    world.faults.arm([{ at, kind: "stopped" }, ...others]);
    const result = told.add(await world.pass(spec, told));
    world.faults.arm();
    if (world.machine.projects.get("acme")?.stopped === undefined) return;
    expect(runningRuntimes(world.machine)).toEqual([]);
    const state = stateOf(world.machine);
    expect(await world.pass(spec)).toMatchObject({ kind: "stopped" });
    expect(stateOf(world.machine)).toBe(state);
    if (others.length === 0) expect(result.kind).toMatch(/^(stopped|applied|in-sync)$/);
    startByOperator(world.machine, "acme");
    expect((await world.pass(spec)).kind).toMatch(/^(applied|in-sync)$/);
    expectConverged(world, spec);
    told.expectNoSecret(world);
  });
  await fc.assert(property, { numRuns: 400 });
});

test("a host that is stopped while a commit is confirmed is stopped, and nothing is put back", async () => {
  const world = await deployed();
  world.machine.readiness = () => "never";
  const told = new Told();
  const result = await world.pass(second, {
    onEvent(event) {
      told.onEvent(event);
      if (event.kind === "confirming") stopByOperator(world.machine, "acme");
    },
  });
  expect(result).toMatchObject({ kind: "stopped", stopped: HOLD });
  expect(told.events.map(({ kind }) => kind)).not.toContain("rolling-back");
  expect(currentOf(world.machine)).toMatchObject({ revision: second.revision });
  expect(runningRuntimes(world.machine)).toEqual([]);
  startByOperator(world.machine, "acme");
  world.machine.readiness = () => 0;
  expect(await world.pass(second)).toMatchObject({ kind: "applied" });
});

test("a credential that was rotated is not pushed to a stopped host, and one that is gone is no error", async () => {
  const world = await deployed();
  stopByOperator(world.machine, "acme");
  const state = stateOf(world.machine);
  const push = () =>
    runPush(
      { address: addressOf(), spec: first, mode: "apply", remote: REMOTE, ...ROLLOUT },
      world.deps,
    );
  world.values.set(TOKEN, new Secret("rotated"));
  expect(await push()).toMatchObject({ result: { kind: "stopped", stopped: HOLD }, changes: [] });
  world.values.delete(TOKEN);
  expect(await world.pass(first)).toMatchObject({ kind: "stopped" });
  expect(stateOf(world.machine)).toBe(state);
});

test("a stopped host neither fails an apply nor holds up others, and keeps what moves to it", async () => {
  const { pass, machine, revisionOf } = fleetWorld(["a", "b", "c"]);
  await pass("r1", { a: "x", b: "y", c: "z" });
  stopByOperator(machine("b"), "acme");
  const results = await pass("r2", { a: "x", b: "y", c: "z" });
  expect(kinds(results)).toEqual({ a: "applied", b: "stopped", c: "applied" });
  expect(exitCodeOf(Object.values(results), "apply")).toBe(0);
  expect(exitCodeOf(Object.values(results), "plan")).toBe(0);
  expect(revisionOf("b")).not.toBe(revisionOf("a"));
  const moved = await pass("r3", { a: "", b: "x y", c: "z" });
  expect(kinds(moved)).toEqual({ a: "waiting", b: "stopped", c: "applied" });
  startByOperator(machine("b"), "acme");
  expect(kinds(await pass("r3", { a: "", b: "x y", c: "z" }))).toEqual({
    a: "applied",
    b: "applied",
    c: "in-sync",
  });
});

test("a host that left the fleet is cleaned although it is stopped", async () => {
  const { pass, machine, memory } = fleetWorld(["a", "b"]);
  await pass("r1", { a: "x y z", b: "z" });
  stopByOperator(machine("b"), "acme");
  expect(await pass("r2", { a: "x y z" })).toMatchObject({ b: { kind: "cleaned", left: [] } });
  expect(machine("b").projects.size).toBe(0);
  expect(machine("b").containers.size).toBe(0);
  expect(memory.hosts.has("b")).toBe(false);
});

test("a controller leaves a stopped host alone, commit after commit, until it is started", async () => {
  const world = await deployed();
  const { branch, start, push, poll, events } = startController(world);
  branch.commits.set("c1", fleetOf(first));
  await start();
  stopByOperator(world.machine, "acme");
  await poll();
  await push("c2", fleetOf(second));
  expect(currentOf(world.machine)).toMatchObject({ revision: first.revision });
  expect(runningRuntimes(world.machine)).toEqual([]);
  startByOperator(world.machine, "acme");
  await poll();
  expectConverged(world, second);
  const results = events.flatMap((event) => (event.kind === "result" ? [event.result.kind] : []));
  expect(results).toEqual(["in-sync", "stopped", "stopped", "applied"]);
});
