import { expect, test, vi } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import { outcomeCounts, placementLines, summaryLines } from "../../../src/cli/render/fleet.ts";
import { createOutput } from "../../../src/cli/render/output.ts";
import { oneMoreHost, oneMoreLabel } from "../../../src/cli/selection.ts";
import { watchHosts } from "../../../src/cli/watch-hosts.ts";
import type { HostResult } from "../../../src/core/pass.ts";
import { runFleetPass } from "../../../src/reconcile/fleet-pass.ts";
import { addressOf, hostSpec, recipesOf } from "../../memory-host/specs.ts";
import { createWorld, REMOTE, ROLLOUT } from "../../memory-host/world.ts";
import { FakeTerminal } from "./fake-terminal.ts";

const HOSTS = ["web-1", "web-2"];
const agents = { dev: { actions: "Fix issues." } };

/** Applies to two hosts in memory, the second of which is dead. */
async function applied(watch: ReturnType<typeof watchHosts>): Promise<readonly HostResult[]> {
  const world = createWorld(HOSTS);
  for (const machine of world.machines) machine.unreachable = machine.host === "web-2";
  const specs = HOSTS.map((host) => hostSpec({ revision: "r1", host, agents }));
  const fleet = {
    project: "acme",
    revision: "r1",
    hosts: specs.map((spec) => ({ address: addressOf(spec.host), spec })),
    placements: [],
    recipes: specs.flatMap(recipesOf),
    rollout: ROLLOUT,
  };
  const input = { fleet, remote: REMOTE, mode: "apply" } as const;
  return runFleetPass(input, world.deps, watch).finally(watch.end);
}

test("on a terminal an apply leaves one last line per host, and the timer is gone", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const terminal = new FakeTerminal(100, 10);
    const output = createOutput(false, { out: terminal, err: terminal });
    const results = await applied(watchHosts(output, HOSTS, "apply"));
    expect(vi.getTimerCount()).toBe(0);
    for (const line of summaryLines(results)) output.line(line);
    expect(terminal.everything()).toEqual([
      expect.stringMatching(/^web-1 {2}confirmed +\d+ s {2}revision [0-9a-f]{12}, \d+ actions$/),
      expect.stringMatching(/^web-2 {2}unreachable +\d+ s {2}host web-2 cannot be reached$/),
      "2 hosts: 1 confirmed, 1 unreachable",
    ]);
  } finally {
    vi.useRealTimers();
  }
});

test("on a terminal a plan leaves none", async () => {
  const terminal = new FakeTerminal(100, 10);
  const output = createOutput(false, { out: terminal, err: terminal });
  const watch = watchHosts(output, HOSTS, "plan");
  expect(terminal.screen()).toHaveLength(2);
  watch.end();
  expect(terminal.screen()).toEqual([]);
});

test("elsewhere there is a plain line for each finished step, and for machines each event", async () => {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) };
  await applied(watchHosts(createOutput(false, { out: stream, err: stream }), HOSTS, "apply"));
  expect(lines.join("")).toContain("web-1: deliver image base (");
  expect(lines.join("")).not.toContain("\x1b");
  lines.length = 0;
  await applied(watchHosts(createOutput(true, { out: stream, err: stream }), HOSTS, "apply"));
  const kinds = new Set(lines.map((line) => (JSON.parse(line) as { kind: string }).kind));
  expect([...kinds].sort()).toEqual([
    "action-finished",
    "action-progress",
    "action-started",
    "confirming",
    "observing",
    "waiting-for-lock",
  ]);
});

test("a summary counts outcomes, in a fixed order; a single host needs none", () => {
  const error = new AlError("x", { code: "unreachable", blame: "transient" });
  const gone = (host: string): HostResult => ({ kind: "unreachable", host, error });
  const waits: HostResult = { kind: "approval-needed", host: "c", approvals: [] };
  expect(summaryLines([gone("a"), waits, gone("b")])).toEqual([
    "3 hosts: 1 waiting for approval, 2 unreachable",
  ]);
  expect(outcomeCounts([gone("a"), waits, gone("b")])).toEqual({
    "approval-needed": 1,
    unreachable: 2,
  });
  expect(summaryLines([gone("a")])).toEqual([]);
});

test("placements are a line each, with hosts, reason and note", () => {
  expect(
    placementLines([
      { agent: "a", hosts: ["x", "y"], reason: "on all 2 hosts", note: "locks are per host" },
      { agent: "b", hosts: [], reason: "no host to choose from" },
    ]),
  ).toEqual([
    "placement:",
    "  a: x, y (on all 2 hosts); locks are per host",
    "  b: nowhere (no host to choose from)",
  ]);
  expect(placementLines([])).toEqual([]);
});

test("repeated options add up, and a label must be one", () => {
  expect(oneMoreHost("b", oneMoreHost("a"))).toEqual(["a", "b"]);
  expect(oneMoreLabel("b=x=y", oneMoreLabel("a="))).toEqual({ a: "", b: "x=y" });
  expect(() => oneMoreLabel("region")).toThrow("KEY=VALUE");
  expect(() => oneMoreLabel("a=2", { a: "1" })).toThrow("one value for a");
});
