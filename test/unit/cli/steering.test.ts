import { expect, test } from "vitest";
import { checkSaid } from "../../../src/cli/host-choice.ts";
import { drainText } from "../../../src/cli/render/drain.ts";
import { killLines } from "../../../src/cli/render/kill.ts";
import { lockTable } from "../../../src/cli/render/locks.ts";
import { queueTable } from "../../../src/cli/render/queue.ts";
import { startLines } from "../../../src/cli/render/start.ts";
import { statusLines, statusRecord } from "../../../src/cli/render/status.ts";
import { stopLines } from "../../../src/cli/render/stop.ts";
import { isSaid } from "../../../src/cli/selection.ts";
import type { ObservedHost } from "../../../src/core/observed.ts";
import type { RunAnswer } from "../../../src/gateway/control-schema.ts";

const SINCE = Date.parse("2026-01-31T08:00:00Z");
const HOLD = { since: SINCE, by: "ann@laptop" };

function run(id: string, facts: Partial<RunAnswer> = {}): RunAnswer {
  return { id, agent: "dev", trigger: "manual", state: "running", createdAt: SINCE, ...facts };
}

test("a change where several hosts could be meant is refused with their names", () => {
  const change = { words: "pause dev", said: false, agent: "dev" };
  expect(() => checkSaid(change, ["one"])).not.toThrow();
  expect(() => checkSaid({ ...change, said: true }, ["one", "two"])).not.toThrow();
  expect(() => checkSaid(change, ["one", "two"])).toThrow(
    expect.objectContaining({
      code: "host-unsaid",
      message: "agent dev is on 2 hosts: one, two",
      hint: "Say which: al pause dev --host NAME, --label KEY=VALUE, or --all",
    }),
  );
  expect(() => checkSaid({ words: "stop", said: false }, ["one", "two", "three"])).toThrow(
    "the fleet has 3 hosts: one, two, three",
  );
});

test("hosts are said by a name, a label or all of them", () => {
  expect([{}, { host: [] }, { all: false, label: {} }].map(isSaid)).toEqual([false, false, false]);
  const said = [{ all: true }, { host: ["one"] }, { label: { region: "eu" } }];
  expect(said.map(isSaid)).toEqual([true, true, true]);
});

test("a stop tells what goes on and the way back; what was stopped before keeps its time", () => {
  const end = { stopped: HOLD, already: false, runs: ["al-acme-run-1"] };
  expect(stopLines("one", end, { dev: false })).toEqual([
    "one: stopped, also after a reboot, until: al start --host one",
    "  1 run goes on and ends by itself; the end and the whole log are recorded at the next start:",
    "    al-acme-run-1",
  ]);
  expect(stopLines("one", { ...end, already: true, runs: [] }, { dev: false })).toEqual([
    "one: was stopped since 2026-01-31 08:00 UTC by ann@laptop",
  ]);
  const [dev] = stopLines("local", { ...end, runs: [] }, { dev: true });
  expect(dev).toBe("local: stopped, also after a reboot, until: al start --dev");
});

test("a start tells what is under way, that it is paused, and that the project is further on", () => {
  const end = { revision: "a".repeat(40), activeRuns: 1, queued: 2, resumed: false };
  expect(
    startLines("one", { ...end, wanted: "b".repeat(40), paused: HOLD }, { dev: false }),
  ).toEqual([
    "one: ready, revision aaaaaaaaaaaa, 1 run under way, 2 queued",
    "  paused since 2026-01-31 08:00 UTC by ann@laptop; to go on: al resume --host one",
    "  the project is at bbbbbbbbbbbb: al apply --host one",
  ]);
  const idle = { ...end, activeRuns: 0, queued: 0, wanted: end.revision };
  expect(startLines("one", idle, { dev: false })).toEqual(["one: ready, revision aaaaaaaaaaaa"]);
  expect(startLines("local", { ...idle, paused: HOLD }, { dev: true })[1]).toContain(
    "to go on: al resume --dev",
  );
});

test("a drain shows for whom it waits, and says it again only when that changes", () => {
  const now = SINCE + 125 * 60_000;
  const called = { run: run("04D", { agent: "ops", trigger: "call", caller: "dev" }) };
  const first = drainText({
    host: "one",
    runs: [run("03C", { startedAt: SINCE })],
    queue: [called],
    now,
  });
  expect(first.lines).toEqual([
    "one: paused; waiting for 1 run to end; 1 run in the queue stays there",
    "  run 03C of dev, under way for 2 h 5 min",
    "  called by agent dev, and held back: run 04D of ops",
  ]);
  const later = { host: "one", runs: [run("03C", { startedAt: SINCE })], queue: [called] };
  expect(drainText({ ...later, now: now + 60_000 }).key).toBe(first.key);
  expect(drainText({ ...later, runs: [], now }).key).not.toBe(first.key);
});

test("queues and locks are tables, harmless to the terminal, and say when there is nothing", () => {
  expect(queueTable([], SINCE)).toEqual(["nothing waits"]);
  const waiting = { host: "one", run: run("03C", { state: "queued" }), waitsFor: "1 run\u001b[2J" };
  expect(queueTable([waiting], SINCE + 61_000)).toEqual([
    "RUN  HOST  AGENT  TRIGGER  WAITS  FOR",
    "03C  one   dev    manual   1 min  1 run\\u{1b}[2J",
  ]);
  expect(lockTable([])).toEqual(["no locks"]);
  const times = { heldSince: SINCE, expiresAt: SINCE + 1_800_000 };
  const lock = {
    resourceKey: "repo\nx",
    host: "one",
    run: "03C",
    agent: "dev",
    waiting: 2,
    ...times,
  };
  expect(lockTable([lock])).toEqual([
    "RESOURCE    HOST  RUN  AGENT  SINCE                 EXPIRES               WAITING",
    "repo\\u{a}x  one   03C  dev    2026-01-31 08:00:00Z  2026-01-31 08:30:00Z  2",
  ]);
});

test("a kill tells of each run what became of it", () => {
  const answer = { agent: "dev", killed: ["01A"], cancelled: ["02B"], failed: ["03C"] };
  expect(killLines("one", answer)).toEqual([
    "one: killed run 01A of dev",
    "one: dropped run 02B of dev from the queue",
    "one: run 03C of dev could not be killed",
  ]);
  expect(killLines("one", { ...answer, killed: [], cancelled: [], failed: [] })).toEqual([
    "one: no run of dev is active",
  ]);
});

test("the status of a stopped host says so, and what is under way there all the same", () => {
  const container = (role: string, name: string) => ({ role, name, state: "running" });
  const observed = {
    ...{ inventory: { items: [] }, entries: [], neighbours: [], facts: { dockerVersion: "28" } },
    current: { revision: "a".repeat(40) },
    containers: [container("runtime", "al-acme-runtime-1"), container("run", "al-acme-run-1")],
  } as unknown as ObservedHost;
  const status = { kind: "stopped", host: "one", observed, stopped: HOLD } as const;
  expect(statusLines(status, "b".repeat(40))).toEqual([
    "one: stopped since 2026-01-31 08:00 UTC by ann@laptop, revision aaaaaaaaaaaa (the project is at bbbbbbbbbbbb)",
    "  its runtime container still runs, and takes no trigger",
    "  under way: al-acme-run-1",
  ]);
  expect(statusRecord(status)).toMatchObject({
    host: "one",
    stopped: HOLD,
    underWay: ["al-acme-run-1"],
  });
});

test("a paused host and held agents are told in the status", () => {
  const observed = {
    inventory: { items: [] },
    entries: [],
    neighbours: [],
  } as unknown as ObservedHost;
  const agent = { scale: 1, running: 0, queued: 0, enabled: true };
  const live = {
    report: {
      release: "r",
      credentials: "c",
      revision: "1",
      ready: true,
      activeRuns: 0,
      settled: true,
    },
    paused: HOLD,
    agents: [
      { name: "dev", ...agent, queued: 3, paused: HOLD, disabled: { since: SINCE } },
      { name: "off", ...agent, scale: 0, enabled: false },
    ],
    runs: [],
  };
  expect(statusLines({ kind: "live", host: "one", observed, live }, "1")).toEqual([
    "one: ready, paused since 2026-01-31 08:00 UTC by ann@laptop, revision 1",
    "  dev: no schedule, 0/1 running, 3 queued; disabled since 2026-01-31 08:00 UTC; paused since 2026-01-31 08:00 UTC by ann@laptop",
    "  off: disabled by scale = 0",
  ]);
});
