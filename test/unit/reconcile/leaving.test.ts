import { expect, test } from "vitest";
import type { Fault } from "../../memory-host/faults.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { fleetWorld, specOf } from "./fleet-harness.ts";

const LABELS = { "action-llama.project": "acme", "action-llama.role": "run" };

function runOn({ containers }: Machine, state: string): void {
  const image = [...containers.values()][0]?.image ?? "";
  containers.set("run-1", { image, labels: LABELS, network: "al-acme", state });
}

/** Everything of the project that is on a machine. */
function ofProject({ containers, images, networks, projects, ruled }: Machine) {
  return {
    names: [...containers.keys(), ...images.keys(), ...networks.keys()],
    projects: [...projects.keys()],
    ruled: [...ruled],
  };
}

const NOTHING = { names: [], projects: [], ruled: [] };

test("while a run is under way its network, the rules that fence it in and what removes them stay", async () => {
  const { pass, memory, machine } = fleetWorld(["a", "b"]);
  await pass("r1", { a: "x y", b: "z" });
  runOn(machine("b"), "running");
  memory.consents.add(specOf("r2", "a", "").revision);
  const { b } = await pass("r2", { a: "x y z" });
  expect(b).toMatchObject({
    kind: "cleaned",
    left: [
      { kind: "image", id: expect.stringContaining("al-acme/base:") },
      { kind: "image", id: expect.stringContaining("al-acme/runtime:") },
      { kind: "network", id: "al-acme" },
      { kind: "rules", id: "al-acme" },
    ],
  });
  expect([...machine("b").ruled]).toEqual(["acme"]);
  expect(memory.hosts.has("b")).toBe(true);
  runOn(machine("b"), "exited");
  expect((await pass("r2", { a: "x y z" })).b).toMatchObject({ kind: "cleaned", left: [] });
  expect(ofProject(machine("b"))).toEqual(NOTHING);
  expect(memory.hosts.has("b")).toBe(false);
});

test("a cleaning that ends at any call is finished by the next one", async () => {
  const leave = async (faults: readonly Fault[]) => {
    const fleet = fleetWorld(["a", "b"]);
    await fleet.pass("r1", { a: "x y z", b: "z" });
    fleet.world.faults.arm(faults);
    await fleet.pass("r2", { a: "x y z" });
    return fleet;
  };
  const { calls } = (await leave([])).world.faults;
  expect(calls.length).toBeGreaterThan(20);
  for (const kind of ["before", "after", "torn", "lost-after"] as const) {
    for (const [at, name] of calls.entries()) {
      const { pass, world, memory, machine } = await leave([{ at, kind }]);
      world.faults.arm();
      await pass("r2", { a: "x y z" });
      expect(ofProject(machine("b")), `${kind} ${name}`).toEqual(NOTHING);
      expect(memory.hosts.has("b")).toBe(false);
    }
  }
});

/** What is left of the images when somebody removed them by hand. */
async function withoutImages(confirmed: boolean) {
  const fleet = fleetWorld(["a", "b"]);
  await fleet.pass("r1", { a: "x y z", b: "z" });
  const machine = fleet.machine("b");
  machine.images.clear();
  const files = machine.projects.get("acme");
  if (files && !confirmed) {
    files.current = undefined;
    files.inventory = JSON.stringify({
      ...JSON.parse(files.inventory ?? ""),
      confirmed: undefined,
    });
    machine.ruled.clear();
  }
  return { ...fleet, left: (await fleet.pass("r2", { a: "x y z" })).b, onB: ofProject(machine) };
}

test("a host on which nothing was ever live is cleaned without an image to remove rules with", async () => {
  const { left, onB } = await withoutImages(false);
  expect(left).toMatchObject({ kind: "cleaned", left: [] });
  expect(onB).toEqual(NOTHING);
});

test("rules without an image to remove them with stay, on the host and on the list", async () => {
  const { left, onB, memory } = await withoutImages(true);
  expect(left).toMatchObject({ kind: "cleaned", left: [{ kind: "rules", id: "al-acme" }] });
  expect(onB).toMatchObject({ names: [], ruled: ["acme"] });
  expect(memory.hosts.get("b")?.inventory.items).toEqual([{ kind: "rules", id: "al-acme" }]);
});
