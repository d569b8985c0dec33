import { afterEach, expect, test } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import type { ControllerEvent } from "../../../src/reconcile/controller.ts";
import { hostSpec } from "../../memory-host/specs.ts";
import { createWorld } from "../../memory-host/world.ts";
import { SimulatedClock } from "../schedule/simulated-clock.ts";
import { currentOf, expectConverged } from "./checks.ts";
import { endControllers, fleetOf, startController } from "./controller-harness.ts";

afterEach(endControllers);

const agents = { dev: { actions: "Fix issues." } };

const resultsIn = (events: readonly ControllerEvent[]) =>
  events.flatMap((event) => (event.kind === "result" ? [event.result.kind] : []));

const first = hostSpec({ revision: "r1", agents });
const second = hostSpec({ revision: "r2", agents: { dev: { actions: "Review." } } });

test("the newest commit is applied at once, and a push before the next poll", async () => {
  const world = createWorld();
  const { branch, start, push, events } = startController(world);
  branch.commits.set("c1", fleetOf(first));
  await start();
  expectConverged(world, first);
  await push("c2", fleetOf(second));
  expectConverged(world, second);
  expect(resultsIn(events)).toEqual(["applied", "applied"]);
  expect(branch.fetches).toBe(2);
});

test("a push is found by polling, without any wake", async () => {
  const world = createWorld();
  const { branch, start, poll } = startController(world);
  branch.commits.set("c1", fleetOf(first)).set("c2", fleetOf(second));
  await start();
  branch.commit = "c2";
  await poll();
  expectConverged(world, second);
});

test("a push during a turn is not lost", async () => {
  const world = createWorld();
  const { branch, start } = startController(world);
  branch.commits.set("c1", fleetOf(first)).set("c2", fleetOf(second));
  branch.onDesired = (commit) => {
    if (commit !== "c1") return;
    branch.commit = "c2";
    branch.wake();
  };
  await start();
  expectConverged(world, second);
  expect(branch.fetches).toBe(2);
});

test("drift is mended at the next poll, without a commit", async () => {
  const world = createWorld();
  const { branch, start, poll, events } = startController(world);
  branch.commits.set("c1", fleetOf(first));
  await start();
  world.machine.projects.get("acme")?.releases.clear();
  await poll();
  expectConverged(world, first);
  await poll();
  expect(resultsIn(events)).toEqual(["applied", "applied", "in-sync"]);
});

test("a bad commit is refused once with its report, and the last good one is kept up", async () => {
  const world = createWorld();
  const { branch, start, push, poll, events } = startController(world);
  branch.commits.set("c1", fleetOf(first));
  await start();
  await push("c2", { kind: "refused", report: "fleet.toml: no hosts" });
  world.machine.projects.get("acme")?.releases.clear();
  await poll();
  expectConverged(world, first);
  const refused = events.filter(({ kind }) => kind === "refused");
  expect(refused).toEqual([{ kind: "refused", revision: "c2", report: "fleet.toml: no hosts" }]);
});

test("a first commit that is bad touches nothing, and its repair is applied", async () => {
  const world = createWorld();
  const { branch, start, push } = startController(world);
  branch.commits.set("c1", { kind: "refused", report: "no" });
  await start();
  expect(world.faults.calls).toEqual([]);
  await push("c2", fleetOf(first));
  expectConverged(world, first);
});

test("a commit that could not be confirmed is not tried again until there is a new one", async () => {
  const world = createWorld(["web-1", "web-2"]);
  const { branch, start, push, poll, events } = startController(world);
  const onBoth = (revision: string) =>
    fleetOf(hostSpec({ revision, agents }), hostSpec({ revision, host: "web-2", agents }));
  branch.commits.set("c1", onBoth("r1"));
  world.machine.readiness = ({ revision }) => (revision === first.revision ? "never" : 0);
  await start();
  for (let polls = 0; polls < 3; polls++) await poll();
  const ofFirst = () =>
    events.flatMap((event) =>
      event.kind === "result" && event.result.host === "web-1" ? [event.result] : [],
    );
  expect(ofFirst()).toMatchObject([{ kind: "failed", error: { code: "not-confirmed" } }]);
  expect(currentOf(world.machine)).toBeUndefined();
  await poll();
  expect(ofFirst()).toHaveLength(1);
  await push("c2", onBoth("r2"));
  expect(ofFirst().at(-1)).toMatchObject({ kind: "applied" });
});

test("a transient failure is tried again without a new commit", async () => {
  const world = createWorld();
  const { branch, start, poll, events } = startController(world);
  branch.commits.set("c1", fleetOf(first));
  world.faults.arm([{ at: 5, kind: "lost" }]);
  await start();
  await poll();
  expect(resultsIn(events)).toEqual(["failed", "applied"]);
  expectConverged(world, first);
});

test("an unreachable host is tried again and stops no other", async () => {
  const world = createWorld(["web-1", "web-2"]);
  const { branch, start, poll, events } = startController(world);
  branch.commits.set("c1", fleetOf(first, hostSpec({ revision: "r1", host: "web-2", agents })));
  world.machine.unreachable = true;
  await start();
  expect(resultsIn(events)).toEqual(["unreachable", "applied"]);
  world.machine.unreachable = false;
  await poll();
  expect(resultsIn(events).slice(2)).toEqual(["applied", "in-sync"]);
});

test("a branch without a commit is waited for", async () => {
  const world = createWorld();
  const { branch, start, push, events } = startController(world);
  branch.commit = undefined;
  await start();
  expect(events.map(({ kind }) => kind)).toEqual(["started", "empty"]);
  await push("c1", fleetOf(first));
  expectConverged(world, first);
});

test("a source that fails is reported, and followed again when it is back", async () => {
  const world = createWorld();
  const { branch, start, poll, events } = startController(world);
  branch.commits.set("c1", fleetOf(first));
  branch.down = true;
  await start();
  expect(events.at(-1)).toMatchObject({ kind: "source-failed", error: { code: "git-failed" } });
  branch.down = false;
  await poll();
  expectConverged(world, first);
});

test("hosts are kept up while the source fails", async () => {
  const world = createWorld();
  const { branch, start, poll, events } = startController(world);
  branch.commits.set("c1", fleetOf(first));
  await start();
  branch.down = true;
  world.machine.projects.get("acme")?.releases.clear();
  await poll();
  expect(events.map(({ kind }) => kind)).toContain("source-failed");
  expectConverged(world, first);
});

test("a commit that could not be read is read again at the next poll", async () => {
  const world = createWorld();
  const { branch, start, poll, events } = startController(world);
  const broken = new AlError("the object is missing", { code: "git-failed", blame: "transient" });
  branch.commits.set("c1", broken);
  await start();
  expect(events.at(-1)).toMatchObject({ kind: "source-failed" });
  branch.commits.set("c1", fleetOf(first));
  await poll();
  expectConverged(world, first);
});

test("an approval that was given in the meantime is enough to go on", async () => {
  const world = createWorld();
  const { branch, start, poll, events } = startController(world);
  branch.commits.set("c1", fleetOf(first));
  world.machine.hostKey = "SHA256:another";
  await start();
  const key = { kind: "host-key", host: "web-1", fingerprint: "SHA256:another" } as const;
  world.approvals.approve({ ...key, endpoint: "192.0.2.1:22" });
  await poll();
  expect(resultsIn(events)).toEqual(["approval-needed", "applied"]);
});

test("an abort ends it, also in the middle of a pass, and tells of no result", async () => {
  const world = createWorld();
  const deps = { ...world.deps, clock: new SimulatedClock() };
  const { branch, start, events } = startController(world, deps);
  branch.commits.set("c1", fleetOf(first));
  world.machine.readiness = () => "never";
  await start();
  expect(events.at(-1)).toMatchObject({ kind: "pass", event: { kind: "confirming" } });
  await endControllers();
  expect(resultsIn(events)).toEqual([]);
  expect(world.machine.connections).toBe(0);
});
