import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type HostAgents,
  lostAgents,
  massPrune,
  moves,
  type Standing,
  waitingMoves,
} from "../../../src/core/prune.ts";

const host = (name: string, live: string, wanted: string): HostAgents => ({
  host: name,
  live: live.split(" ").filter(Boolean),
  wanted: wanted.split(" ").filter(Boolean),
});

test("a revision that takes everything away needs consent, however little there was", () => {
  expect(massPrune([host("a", "x", ""), host("b", "", "")])).toEqual({
    losses: ["x on a"],
    live: 1,
    reason: "empty",
  });
});

test("more than half of at least three placements is a mass prune; half is not", () => {
  expect(massPrune([host("a", "x y", "x"), host("b", "z", "")])).toMatchObject({
    losses: ["y on a", "z on b"],
    reason: "mass",
  });
  expect(massPrune([host("a", "x y", "x"), host("b", "z v", "z")])).toBeUndefined();
});

test("what moves is not lost", () => {
  const fleet = [host("a", "x y z", ""), host("b", "", "x y z")];
  expect(massPrune(fleet)).toBeUndefined();
  expect(moves(fleet).map(({ agent, from, to }) => `${agent} ${from} ${to}`)).toEqual([
    "x a b",
    "y a b",
    "z a b",
  ]);
});

test("an agent waits where it is until one of its new hosts is ready", () => {
  const fleet = [host("a", "x", ""), host("b", "", "x")];
  const waits = (standing: Standing) =>
    waitingMoves(
      fleet,
      new Map([
        ["a", "losing"],
        ["b", standing],
      ]),
      "a",
    ).length;
  expect([waits("behind"), waits("losing"), waits("ready")]).toEqual([1, 1, 0]);
});

const names = ["a", "b", "c", "d"];
const agents = fc.subarray(["v", "w", "x", "y", "z"]);
const fleets = fc
  .array(fc.record({ live: agents, wanted: agents }), { minLength: 1, maxLength: 4 })
  .map((hosts) => hosts.map((one, index) => ({ ...one, host: names[index] ?? "" })));

test("when every host can be changed, rounds of free hosts change all of them", () => {
  fc.assert(
    fc.property(fleets, (fleet) => {
      const standings = new Map<string, Standing>(
        fleet.map((one) => [one.host, lostAgents(one).length > 0 ? "losing" : "ready"]),
      );
      for (const _round of fleet) {
        const open = fleet.filter((one) => standings.get(one.host) === "losing");
        const free = open.filter((one) => waitingMoves(fleet, standings, one.host).length === 0);
        for (const one of free) standings.set(one.host, "ready");
      }
      expect([...standings.values()].every((standing) => standing === "ready")).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test("no agent leaves its host while all hosts it goes to have failed", () => {
  fc.assert(
    fc.property(fleets, fc.subarray(names), (fleet, failed) => {
      const standings = new Map<string, Standing>(
        fleet.map((one) => [one.host, failed.includes(one.host) ? "behind" : "losing"]),
      );
      for (const { agent, from, to } of moves(fleet)) {
        if (!to.every((name) => failed.includes(name))) continue;
        expect(waitingMoves(fleet, standings, from).map((move) => move.agent)).toContain(agent);
      }
    }),
    { numRuns: 2000 },
  );
});
