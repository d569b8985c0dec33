import fc from "fast-check";
import { expect, test } from "vitest";
import { placeAgents } from "../../../src/core/placement.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 12 });

function hostOf(placed: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  return new Map([...placed].flatMap(([host, agents]) => agents.map((agent) => [agent, host])));
}

test("every agent is on exactly one host, and every host is listed", () => {
  fc.assert(
    fc.property(names, names, (agents, hosts) => {
      const placed = placeAgents(agents, hosts);
      expect([...placed.keys()]).toEqual(hosts.toSorted());
      expect([...placed.values()].flat().sort()).toEqual(agents.toSorted());
    }),
  );
});

test("a new host takes agents from others and moves none between them", () => {
  fc.assert(
    fc.property(names, names, name, (agents, hosts, added) => {
      fc.pre(!hosts.includes(added));
      const before = hostOf(placeAgents(agents, hosts));
      const after = hostOf(placeAgents(agents, [...hosts, added]));
      for (const agent of agents) {
        expect([before.get(agent), added]).toContain(after.get(agent));
      }
    }),
  );
});

test("adding an agent moves no other", () => {
  fc.assert(
    fc.property(names, names, name, (agents, hosts, added) => {
      const before = hostOf(placeAgents(agents, hosts));
      const after = hostOf(placeAgents([...agents, added], hosts));
      for (const [agent, host] of before) expect(after.get(agent)).toBe(host);
    }),
  );
});

test("agents spread over hosts", () => {
  const agents = Array.from({ length: 1000 }, (_, index) => `agent-${index}`);
  const sizes = [...placeAgents(agents, ["a", "b", "c", "d"]).values()].map(({ length }) => length);
  for (const size of sizes) expect(Math.abs(size - 250)).toBeLessThan(75);
});

test("the choice is fixed: a release of ours never moves an agent", () => {
  const placed = placeAgents(["dev", "planner", "reviewer"], ["alpha", "beta"]);
  expect(Object.fromEntries(placed)).toMatchInlineSnapshot(`
    {
      "alpha": [
        "dev",
        "planner",
        "reviewer",
      ],
      "beta": [],
    }
  `);
});

test("without hosts nothing is placed", () => {
  expect(placeAgents(["a"], []).size).toBe(0);
});
