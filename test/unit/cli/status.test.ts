import { expect, test } from "vitest";
import { statusLines } from "../../../src/cli/render/status.ts";
import type { ObservedHost } from "../../../src/core/observed.ts";

test("a run is shown with what its agent says it is doing, harmless to the terminal", () => {
  const found = { inventory: { items: [] }, entries: [], neighbours: [] };
  const observed = found as unknown as ObservedHost;
  const report = { release: "r", credentials: "c", revision: "1", ready: true };
  const run = { id: "01A", agent: "dev", trigger: "manual", createdAt: 0 };
  const live = {
    report: { ...report, activeRuns: 1, settled: true },
    agents: [],
    runs: [{ ...run, state: "running" as const, statusText: "on PR 42\u001b[2J\nforged" }],
  };
  expect(statusLines({ kind: "live", host: "one", observed, live }, "1")).toEqual([
    "one: ready, revision 1",
    "  run 01A of dev: running (on PR 42\\u{1b}[2J\\u{a}forged)",
  ]);
});

test("a damaged database is shown, with where it is kept and until when", () => {
  const found = { inventory: { items: [] }, entries: [], neighbours: [] };
  const observed = found as unknown as ObservedHost;
  const damaged = { since: Date.parse("2026-01-31T12:00:00Z"), file: "/p/state.db.damaged-x" };
  const report = { release: "r", credentials: "c", revision: "1", ready: true, damaged };
  const live = { report: { ...report, activeRuns: 0, settled: true }, agents: [], runs: [] };
  expect(statusLines({ kind: "live", host: "one", observed, live }, "1")).toEqual([
    "one: ready, revision 1",
    expect.stringContaining("damaged at 2026-01-31T12:00:00.000Z"),
    "    the damaged file is /p/state.db.damaged-x: remove it when nobody needs it any more",
  ]);
});
