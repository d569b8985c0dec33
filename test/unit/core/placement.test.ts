import fc from "fast-check";
import { expect, test } from "vitest";
import type { Placement } from "../../../src/core/desired.ts";
import {
  isEligible,
  type PlaceableAgent,
  type PlaceableHost,
  placeAgents,
} from "../../../src/core/placement.ts";
import type { PlacementInput } from "../../../src/core/project-input.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const label = fc.record({ region: fc.constantFrom("fra", "ams"), disk: fc.constantFrom("ssd") });
const labels = label.map(({ region, disk }): Record<string, string> => ({ region, disk }));
const fleet = fc.uniqueArray(fc.record({ host: name, labels: fc.oneof(labels, fc.constant({})) }), {
  minLength: 1,
  maxLength: 12,
  selector: ({ host }) => host,
});
const replicas = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant("all" as const));
const wanted = fc.record({ replicas, labels: fc.option(labels, { nil: undefined }) });

const agentsOf = (names: readonly string[], placement?: PlacementInput): PlaceableAgent[] =>
  names.map((each) => ({ name: each, scale: 1, placement }));
const hostsOf = (...names: string[]): PlaceableHost[] =>
  names.map((host) => ({ host, labels: {} }));
const agents = fc.uniqueArray(name, { minLength: 1, maxLength: 12 });

function hostsByAgent(placements: readonly Placement[]): Map<string, readonly string[]> {
  return new Map(placements.map(({ agent, hosts }) => [agent, hosts]));
}

test("an agent is on as many hosts as it asks for, all of them eligible, none twice", () => {
  fc.assert(
    fc.property(agents, wanted, fleet, (names, placement, hosts) => {
      const eligible = hosts.filter((host) => isEligible(host, placement)).map(({ host }) => host);
      const placed = placeAgents(agentsOf(names, placement), hosts);
      expect(placed.map(({ agent }) => agent)).toEqual(names.toSorted());
      const count = placement.replicas === "all" ? eligible.length : placement.replicas;
      for (const { hosts: chosen } of placed) {
        expect(chosen).toEqual([...new Set(chosen)].sort());
        expect(eligible).toEqual(expect.arrayContaining([...chosen]));
        expect(chosen).toHaveLength(Math.min(count, eligible.length));
      }
    }),
  );
});

test("a host more or less moves only what it must", () => {
  fc.assert(
    fc.property(agents, wanted, fleet, fc.nat(), (names, placement, hosts, pick) => {
      const changed = hosts[pick % hosts.length] as PlaceableHost;
      const without = hosts.filter((host) => host !== changed);
      const less = hostsByAgent(placeAgents(agentsOf(names, placement), without));
      for (const { agent, hosts: more } of placeAgents(agentsOf(names, placement), hosts)) {
        const before = less.get(agent) ?? [];
        const left = before.filter((host) => !more.includes(host));
        const came = more.filter((host) => !before.includes(host));
        expect(came).toEqual(more.includes(changed.host) ? [changed.host] : []);
        expect(left.length).toBeLessThanOrEqual(came.length);
      }
    }),
  );
});

test("another agent moves none", () => {
  fc.assert(
    fc.property(agents, name, wanted, fleet, (names, added, placement, hosts) => {
      fc.pre(!names.includes(added));
      const before = placeAgents(agentsOf(names, placement), hosts);
      const after = placeAgents(agentsOf([...names, added], placement), hosts.toReversed());
      expect(after.filter(({ agent }) => agent !== added)).toEqual(before);
    }),
  );
});

test("agents spread over hosts, and so do their replicas", () => {
  const names = Array.from({ length: 1000 }, (_, index) => `agent-${index}`);
  for (const count of [1, 2]) {
    const placed = placeAgents(agentsOf(names, { replicas: count }), hostsOf("a", "b", "c", "d"));
    const sizes = Map.groupBy(
      placed.flatMap(({ hosts }) => hosts),
      (host) => host,
    );
    for (const { length } of sizes.values())
      expect(Math.abs(length - 250 * count)).toBeLessThan(75);
  }
});

test("the choice is fixed: a release of ours never moves an agent", () => {
  const names = ["dev", "planner", "reviewer", "triage"];
  const placed = placeAgents(agentsOf(names), hostsOf("alpha", "beta", "gamma"));
  expect(Object.fromEntries(hostsByAgent(placed))).toMatchInlineSnapshot(`
    {
      "dev": [
        "gamma",
      ],
      "planner": [
        "beta",
      ],
      "reviewer": [
        "alpha",
      ],
      "triage": [
        "gamma",
      ],
    }
  `);
});

const FLEET: readonly PlaceableHost[] = [
  { host: "a", labels: { region: "fra", disk: "ssd" } },
  { host: "b", labels: { region: "ams" } },
  { host: "c", labels: { region: "fra" } },
];
const fra = { region: "fra" };

test.each<[string, PlacementInput, PlaceableHost[]]>([
  ["chosen among 3 hosts by its name's hash", { replicas: 1 }, [...FLEET]],
  ["2 chosen among 3 hosts by its name's hash", { replicas: 2 }, [...FLEET]],
  ["on all 3 hosts", { replicas: "all" }, [...FLEET]],
  ["the fleet has one host", { replicas: 1 }, FLEET.slice(0, 1)],
  ["pinned by hosts", { replicas: 1, hosts: ["b"] }, [...FLEET]],
  [
    "pinned by hosts and labels region=fra",
    { replicas: 1, hosts: ["b", "c"], labels: fra },
    [...FLEET],
  ],
  [
    "chosen among the 2 hosts it names by its name's hash",
    { replicas: 1, hosts: ["b", "c"] },
    [...FLEET],
  ],
  [
    "only host with labels disk=ssd, region=fra",
    { replicas: 1, labels: { ...fra, disk: "ssd" } },
    [...FLEET],
  ],
  ["on all 2 hosts with labels region=fra", { replicas: "all", labels: fra }, [...FLEET]],
  [
    "chosen among 2 hosts with labels region=fra by its name's hash",
    { replicas: 1, labels: fra },
    [...FLEET],
  ],
  [
    "no host with labels region=lon to choose from",
    { replicas: 1, labels: { region: "lon" } },
    [...FLEET],
  ],
])("%s", (reason, placement, hosts) => {
  expect(placeAgents(agentsOf(["dev"], placement), hosts)[0]?.reason).toBe(reason);
});

test("what is on several hosts says that locks are per host, and what is disabled says so", () => {
  const off: PlaceableAgent = { name: "off", scale: 0 };
  const all: PlaceableAgent = { name: "on", scale: 1, placement: { replicas: "all" } };
  const [disabled, replicated] = placeAgents([off, all], FLEET);
  expect(disabled?.reason).toBe("disabled (scale 0); chosen among 3 hosts by its name's hash");
  expect(disabled?.note).toBeUndefined();
  expect(replicated?.note).toContain("locks are per host");
});

test("without hosts agents are on none", () => {
  expect(placeAgents(agentsOf(["a"]), [])).toEqual([
    { agent: "a", hosts: [], reason: "no host to choose from" },
  ]);
});
