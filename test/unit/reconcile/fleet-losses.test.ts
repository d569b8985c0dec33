import { expect, test } from "vitest";
import type { HostResult } from "../../../src/core/pass.ts";
import { foreignState } from "../../memory-host/machine.ts";
import { addForeignThings } from "../../memory-host/tamper.ts";
import { fleetWorld, kinds, specOf } from "./fleet-harness.ts";

test("a moved agent is confirmed where it goes before it leaves where it was", async () => {
  const { pass, switches } = fleetWorld(["a", "b"]);
  await pass("r1", { a: "x y", b: "z" });
  expect(kinds(await pass("r2", { a: "y", b: "x z" }))).toEqual({ a: "applied", b: "applied" });
  expect(switches).toEqual(["b", "a"]);
});

test("the losing host keeps an agent while the gaining host cannot be reached, or failed before", async () => {
  const { pass, machine, revisionOf } = fleetWorld(["a", "b"]);
  await pass("r1", { a: "x y", b: "z" });
  const before = revisionOf("a");
  machine("b").unreachable = true;
  expect(kinds(await pass("r2", { a: "y", b: "x z" }))).toEqual({ a: "waiting", b: "unreachable" });
  machine("b").unreachable = false;
  const except = new Set(["b"]);
  expect(kinds(await pass("r2", { a: "y", b: "x z" }, { except }))).toEqual({ a: "waiting" });
  expect(revisionOf("a")).toBe(before);
  expect(kinds(await pass("r2", { a: "y", b: "x z" }))).toEqual({ a: "applied", b: "applied" });
});

test("hosts that exchange agents do not wait for each other for ever", async () => {
  const { pass } = fleetWorld(["a", "b", "c"]);
  await pass("r1", { a: "x", b: "y", c: "z" });
  const after = await pass("r2", { a: "y", b: "z", c: "x" });
  expect(kinds(after)).toEqual({ a: "applied", b: "applied", c: "applied" });
});

test("a commit that removes most agents is held until consent for exactly that commit", async () => {
  const { pass, memory, revisionOf } = fleetWorld(["a", "b"]);
  await pass("r1", { a: "x y", b: "z" });
  const before = revisionOf("a");
  const held = await pass("r2", { a: "y", b: "" });
  expect(kinds(held)).toEqual({ a: "consent-needed", b: "consent-needed" });
  expect(held.a).toHaveProperty("losses", ["x on a"]);
  expect(revisionOf("a")).toBe(before);
  memory.consents.add(specOf("another", "a", "").revision);
  expect(kinds(await pass("r2", { a: "y", b: "" })).a).toBe("consent-needed");
  memory.consents.add(specOf("r2", "a", "").revision);
  expect(kinds(await pass("r2", { a: "y", b: "" }))).toEqual({ a: "applied", b: "applied" });
});

test("a removed host is cleaned when its agents are confirmed elsewhere, and then forgotten", async () => {
  const { pass, memory, machine } = fleetWorld(["a", "b", "c"]);
  addForeignThings(machine("b"));
  await pass("r1", { a: "x y", b: "z", c: "v" });
  const foreign = foreignState(machine("b"), "acme");
  expect([...memory.hosts.keys()].sort()).toEqual(["a", "b", "c"]);
  machine("a").unreachable = true;
  expect(kinds(await pass("r2", { a: "x y z", c: "v" }))).toMatchObject({ b: "waiting" });
  machine("a").unreachable = false;
  const { b } = await pass("r2", { a: "x y z", c: "v" });
  expect(b).toMatchObject({ kind: "cleaned", left: [] });
  expect([...memory.hosts.keys()].sort()).toEqual(["a", "c"]);
  expect(foreignState(machine("b"), "acme")).toBe(foreign);
  expect(machine("b").projects.has("acme")).toBe(false);
  expect([...machine("b").ruled]).toEqual([]);
  expect(kinds(await pass("r2", { a: "x y z", c: "v" }))).toEqual({ a: "in-sync", c: "in-sync" });
});

test("a removed host that cannot be reached stays known and is reported; one with runs needs consent", async () => {
  const { pass, memory, machine } = fleetWorld(["a", "b"]);
  await pass("r1", { a: "x y", b: "z" });
  machine("b").unreachable = true;
  const { b } = await pass("r2", { a: "x y z" });
  expect(b).toMatchObject({
    kind: "unreachable",
    error: { hint: expect.stringContaining("forget b") },
  });
  expect(memory.hosts.has("b")).toBe(true);
  machine("b").unreachable = false;
  const labels = { "action-llama.project": "acme", "action-llama.role": "run" };
  machine("b").containers.set("run-1", { image: "i", labels, state: "running" });
  expect(kinds(await pass("r2", { a: "x y z" }))).toMatchObject({ b: "consent-needed" });
  memory.consents.add(specOf("r2", "a", "").revision);
  expect(kinds(await pass("r2", { a: "x y z" }))).toMatchObject({ b: "cleaned" });
  expect(machine("b").containers.get("run-1")).toMatchObject({ state: "running" });
});

test("a plan of all this writes nothing, neither to hosts nor to what is remembered", async () => {
  const { pass, memory, revisionOf } = fleetWorld(["a", "b", "c"]);
  await pass("r1", { a: "x y", b: "z", c: "v" });
  const { writes } = memory;
  const before = ["a", "b", "c"].map(revisionOf);
  const planned = await pass("r2", { a: "y", c: "" }, { mode: "plan" });
  expect(kinds(planned)).toEqual({ a: "consent-needed", b: "consent-needed", c: "consent-needed" });
  expect(memory.writes).toBe(writes);
  expect(["a", "b", "c"].map(revisionOf)).toEqual(before);
});

test("hosts that were not selected have not left the fleet, and those that left it wait for a whole pass", async () => {
  const { pass, memory, revisionOf } = fleetWorld(["a", "b", "c"]);
  await pass("r1", { a: "x", b: "y", c: "z" });
  const before = revisionOf("a");
  const place = { a: "x", b: "y z" };
  const only = new Set(["b"]);
  expect(kinds(await pass("r2", place, { only }))).toEqual({ b: "applied" });
  expect(revisionOf("a")).toBe(before);
  expect(revisionOf("c")).toBe(before);
  expect(memory.knownHosts().map(({ address }) => address.host)).toEqual(["a", "b", "c"]);
  expect(kinds(await pass("r2", place))).toMatchObject({
    a: "applied",
    b: "in-sync",
    c: "cleaned",
  });
});

test("whoever watches hears the end of every host once, that of hosts with two turns too", async () => {
  const { pass } = fleetWorld(["a", "b", "c"]);
  await pass("r1", { a: "x y", b: "z", c: "v" });
  const heard: string[] = [];
  const onResult = ({ host, kind }: HostResult) => heard.push(`${host} ${kind}`);
  await pass("r2", { a: "y", b: "x z v" }, { onResult });
  expect(heard).toEqual(["b applied", "a applied", "c cleaned"]);
});
