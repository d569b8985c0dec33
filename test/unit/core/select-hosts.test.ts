import { expect, test } from "vitest";
import { desireFleet } from "../../../src/core/desire.ts";
import { type HostSelection, selectHosts } from "../../../src/core/select-hosts.ts";
import { ASSETS, agent, host, project } from "./project-fixture.ts";

const FLEET = desireFleet(
  {
    ...project([], []),
    hosts: [
      host("a", { labels: { region: "fra", disk: "ssd" } }),
      host("b", { labels: { region: "ams" } }),
      host("c", { labels: { region: "fra" } }),
    ],
    agents: [
      agent("everywhere", { schedule: undefined, placement: { replicas: "all" } }),
      agent("there", { placement: { replicas: 1, hosts: ["b"] } }),
    ],
  },
  ASSETS,
  "1".repeat(40),
);

const select = (selection: Partial<HostSelection>) =>
  selectHosts(FLEET, { hosts: [], labels: {}, ...selection });
const names = (selection: Partial<HostSelection>) =>
  select(selection).fleet.hosts.map(({ spec }) => spec.host);

test("without a selection the fleet stays as it is", () => {
  expect(select({})).toEqual({ fleet: FLEET, leftOut: [] });
});

test("names are joined by OR, labels by AND, and both by AND", () => {
  expect(names({ hosts: ["c", "a", "a"] })).toEqual(["a", "c"]);
  expect(names({ labels: { region: "fra" } })).toEqual(["a", "c"]);
  expect(names({ labels: { region: "fra", disk: "ssd" } })).toEqual(["a"]);
  expect(names({ hosts: ["b", "c"], labels: { region: "fra" } })).toEqual(["c"]);
});

test("what is left out is named, and placements that concern only it are dropped", () => {
  const { fleet, leftOut } = select({ hosts: ["a"] });
  expect(leftOut).toEqual(["b", "c"]);
  expect(fleet.placements.map((placement) => placement.agent)).toEqual(["everywhere"]);
});

test("unknown names are an error with the known ones", () => {
  expect(() => select({ hosts: ["d", "a", "x"] })).toThrow(
    expect.objectContaining({
      code: "unknown-host",
      message: "there are no hosts d, x in this fleet",
      hint: "Hosts: a, b, c",
    }),
  );
});

test("a selection that fits nothing is an error, not an empty success", () => {
  expect(() => select({ labels: { region: "lon" } })).toThrow(
    expect.objectContaining({
      code: "no-host-selected",
      message: "no host has the labels region=lon",
    }),
  );
  expect(() => select({ hosts: ["b"], labels: { disk: "ssd" } })).toThrow(
    expect.objectContaining({ message: "none of b has the labels disk=ssd" }),
  );
});
