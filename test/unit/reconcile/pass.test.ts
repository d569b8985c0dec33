import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import type { PassEvent } from "../../../src/core/pass.ts";
import { runFleetPass } from "../../../src/reconcile/fleet-pass.ts";
import { foreignState, projectOn } from "../../memory-host/machine.ts";
import { loseLock } from "../../memory-host/memory-hosts.ts";
import { addressOf, hostSpec, recipesOf } from "../../memory-host/specs.ts";
import { createWorld, REMOTE, ROLLOUT } from "../../memory-host/world.ts";
import { currentOf, expectConverged, runningDoors, runningRuntimes } from "./checks.ts";

const agents = { dev: { actions: "Fix issues." } };
const spec = hostSpec({ revision: "r1", agents });
const next = hostSpec({ revision: "r2", agents: { dev: { actions: "Review." } } });

const started = (events: readonly PassEvent[]) =>
  events.flatMap((event) => (event.kind === "action-started" ? [event.action.step.kind] : []));

test("a plan touches nothing, not even the lock", async () => {
  const world = createWorld();
  const before = JSON.stringify([...world.machine.projects]);
  expect(await world.pass(spec, { mode: "plan" })).toMatchObject({ kind: "planned" });
  expect(world.faults.calls).toEqual(["observe"]);
  expect(JSON.stringify([...world.machine.projects])).toBe(before);
});

test("a host in sync is not locked", async () => {
  const world = createWorld();
  await world.pass(spec);
  world.faults.arm();
  expect(await world.pass(spec)).toMatchObject({ kind: "in-sync" });
  expect(world.faults.calls).toEqual(["observe"]);
});

test("events tell of every action, and of the confirmation after the switch", async () => {
  const world = createWorld();
  const events: PassEvent[] = [];
  const result = await world.pass(spec, { onEvent: (event) => events.push(event) });
  const planned = result.kind === "applied" ? result.plan.actions.map(({ step }) => step.kind) : [];
  expect(started(events)).toEqual(planned);
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.slice(0, 3)).toEqual(["observing", "waiting-for-lock", "observing"]);
  const switched = events.findIndex(
    (event) => event.kind === "action-finished" && event.action.step.kind === "switch",
  );
  expect(kinds[switched + 1]).toBe("confirming");
});

test("two passes at a time change a host one after the other, and the second finds it done", async () => {
  const world = createWorld();
  const results = await Promise.all([world.pass(spec), world.pass(spec)]);
  expect(results.map(({ kind }) => kind).sort()).toEqual(["applied", "in-sync"]);
  expectConverged(world, spec);
});

test("who has to wait for the lock plans anew when it has it", async () => {
  const world = createWorld();
  const results = await Promise.all([world.pass(spec), world.pass(next)]);
  expect(results.map(({ kind }) => kind)).toEqual(["applied", "applied"]);
  expectConverged(world, next);
});

test("a lock that is lost ends the pass before its next action, and puts nothing back", async () => {
  const world = createWorld();
  await world.pass(spec);
  const events: PassEvent[] = [];
  const result = await world.pass(next, {
    onEvent: (event) => {
      events.push(event);
      if (event.kind === "confirming") loseLock(world.machine, "acme");
    },
  });
  expect(result).toMatchObject({
    kind: "failed",
    error: { code: "lock-lost", blame: "transient" },
  });
  expect(result).toHaveProperty("aftermath", "untouched");
  expect(events.at(-1)).toMatchObject({ kind: "confirming" });
  expect(currentOf(world.machine)).toMatchObject({ revision: next.revision });
  expect(await world.pass(next)).toMatchObject({ kind: "applied" });
});

test("an abort while waiting for the lock ends the pass", async () => {
  const world = createWorld();
  const other = await world.deps.hosts.connect(addressOf(), { fingerprint: world.machine.hostKey });
  await other.lock("acme", { holder: "another" });
  const abort = new AbortController();
  const ended = world.pass(spec, { signal: abort.signal });
  await turn();
  abort.abort(new Error("enough"));
  expect(await ended).toMatchObject({ kind: "failed", error: { message: "enough" } });
  expect(world.machine.connections).toBe(1);
});

test("a first deployment that is not confirmed is withdrawn, and what was made stays listed", async () => {
  const world = createWorld();
  world.machine.readiness = () => "never";
  const result = await world.pass(spec);
  expect(result).toMatchObject({
    kind: "failed",
    aftermath: "withdrawn",
    error: { code: "not-confirmed", blame: "terminal" },
  });
  expect(currentOf(world.machine)).toBeUndefined();
  expect(runningRuntimes(world.machine)).toEqual([]);
  const { items } = JSON.parse(world.machine.projects.get("acme")?.inventory ?? "");
  expect(items).toContainEqual({ kind: "release", id: spec.release.hash });
});

test("the error of a failed confirmation says what was missing", async () => {
  const world = createWorld();
  world.machine.readiness = () => "never";
  const result = await world.pass(spec);
  expect(result).toHaveProperty(
    "error.message",
    "host web-1 was not confirmed: the runtime is not ready: the probe has not passed",
  );
});

test("putting back that fails too is reported as that", async () => {
  const world = createWorld();
  await world.pass(spec);
  world.machine.readiness = () => "never";
  const previous = currentOf(world.machine)?.runtime ?? "";
  const result = await world.pass(hostSpec({ revision: "r2", runtime: "2", agents }), {
    onEvent: (event) => {
      if (event.kind === "rolling-back") world.machine.containers.delete(previous);
    },
  });
  expect(result).toMatchObject({ kind: "failed", aftermath: "unrestored" });
});

test("a host on which no switch can be written goes on with what it has, and later switches", async () => {
  const world = createWorld();
  const at = (runtime: string, door: string) => ({ runtime, door, port: 8080, agents });
  await world.pass(hostSpec({ revision: "r1", ...at("1", "1") }));
  const files = projectOn(world.machine, "acme");
  const standing = () => [...runningRuntimes(world.machine), ...runningDoors(world.machine)];
  const [before, live] = [standing(), files.current];
  const wanted = hostSpec({ revision: "r2", ...at("2", "2") });
  files.blocked = "current";
  expect(await world.pass(wanted)).toMatchObject({ kind: "failed" });
  expect(before).toHaveLength(2);
  expect([standing(), files.current]).toEqual([before, live]);
  files.blocked = undefined;
  expect(await world.pass(wanted)).toMatchObject({ kind: "applied" });
  expectConverged(world, wanted);
});

test("an image that a container of somebody else uses is kept, listed, and tried again", async () => {
  const world = createWorld();
  const old = hostSpec({ revision: "r1", agents: { dev: { actions: "", image: "1" } } });
  await world.pass(old);
  const [image = ""] = old.images.map(({ reference }) => reference);
  world.machine.containers.set("theirs", { image, labels: {}, state: "exited" });
  const kept: string[] = [];
  const onEvent = (event: PassEvent) => {
    if (event.kind === "action-finished" && event.kept) kept.push(event.kept);
  };
  expect(await world.pass(spec, { onEvent })).toMatchObject({ kind: "applied" });
  expect(kept).toEqual(["image is used by theirs"]);
  expect(world.machine.projects.get("acme")?.inventory).toContain(image);
  world.machine.containers.delete("theirs");
  await world.pass(spec);
  expect(world.machine.images.has(image)).toBe(false);
});

test.each(["network", "container"])(
  "a %s of ours that somebody else owns is left alone",
  async (kind) => {
    const world = createWorld();
    const { machine } = world;
    if (kind === "network") {
      const network = { bridge: "br-1", subnet: "10.0.0.0/24", gateway: "10.0.0.1" };
      machine.networks.set("al-acme", { ...network, name: "al-acme", labels: {} });
    } else {
      await world.pass(spec);
      for (const [name, container] of machine.containers) {
        machine.containers.set(name, { ...container, labels: {}, state: "exited" });
      }
    }
    const foreign = foreignState(machine, "acme");
    const result = await world.pass(spec);
    expect(result).toMatchObject({ kind: "failed", error: { code: "name-taken", blame: "user" } });
    expect(foreignState(machine, "acme")).toBe(foreign);
  },
);

test("a damaged inventory stops the pass, since what is ours is unknown", async () => {
  const world = createWorld();
  await world.pass(spec);
  const files = world.machine.projects.get("acme");
  if (files) files.inventory = "{";
  expect(await world.pass(next)).toMatchObject({
    kind: "failed",
    error: { code: "inventory-damaged", blame: "user" },
  });
  expect(currentOf(world.machine)).toMatchObject({ revision: spec.revision });
});

test("a host of another architecture is refused with the line to change", async () => {
  const world = createWorld();
  world.machine.architecture = "arm64";
  const result = await world.pass(spec);
  expect(result).toMatchObject({ kind: "failed", error: { code: "wrong-architecture" } });
  expect(result).toHaveProperty("error.hint", expect.stringContaining('architecture = "arm64"'));
  expect(world.machine.projects.size).toBe(0);
});

test("a credential that nobody holds stops the pass before anything is made", async () => {
  const world = createWorld();
  const path = "github_token/default/token";
  const needy = hostSpec({ revision: "r1", agents: { dev: { actions: "", credentials: [path] } } });
  const result = await world.pass(needy);
  expect(result).toMatchObject({ kind: "failed", error: { code: "credential-missing" } });
  expect(world.machine.projects.size).toBe(0);
  world.values.set(path, new Secret("now it is there"));
  expect(await world.pass(needy)).toMatchObject({ kind: "applied" });
});

test("an unreachable host stops no other", async () => {
  const hosts = ["web-1", "web-2", "web-3"];
  const world = createWorld(hosts);
  const specs = hosts.map((host) => hostSpec({ revision: "r1", host, agents }));
  for (const machine of world.machines) machine.unreachable = machine.host === "web-2";
  const fleet = {
    project: "acme",
    revision: spec.revision,
    hosts: specs.map((one) => ({ address: addressOf(one.host), spec: one })),
    placements: [],
    recipes: specs.flatMap(recipesOf),
    rollout: ROLLOUT,
  };
  const input = { fleet, remote: REMOTE, mode: "apply" } as const;
  const results = await runFleetPass(input, world.deps);
  expect(results.map(({ host, kind }) => `${host} ${kind}`)).toEqual([
    "web-1 applied",
    "web-2 unreachable",
    "web-3 applied",
  ]);
});

test("every connection is closed, however a pass ends", async () => {
  const world = createWorld();
  await world.pass(spec);
  world.faults.arm([{ at: 0, kind: "before" }]);
  await world.pass(next);
  world.faults.arm([{ at: 4, kind: "lost" }]);
  await world.pass(next);
  world.faults.arm();
  await world.pass(next, { mode: "plan" });
  expect(world.machine.connections).toBe(0);
});

test("a switch that nobody confirmed before its controller died is confirmed by the next pass", async () => {
  const world = createWorld();
  await world.pass(spec);
  const dies = (event: PassEvent) => {
    if (event.kind === "confirming") loseLock(world.machine, "acme");
  };
  await world.pass(next, { onEvent: dies });
  expect(currentOf(world.machine)).toMatchObject({ revision: next.revision });
  world.machine.readiness = ({ revision }) => (revision === next.revision ? "never" : 0);
  const result = await world.pass(next);
  expect(result).toMatchObject({ kind: "failed", aftermath: "restored" });
  expect(currentOf(world.machine)).toMatchObject({ release: spec.release.hash });
});
