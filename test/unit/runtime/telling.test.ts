import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Json } from "../../../src/base/canonical-json.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { AlError } from "../../../src/base/errors.ts";
import type { NewRun } from "../../../src/core/run.ts";
import { type NewEvent, RuntimeEvent } from "../../../src/gateway/event-schema.ts";
import { openStores } from "../../../src/runtime/open-stores.ts";
import {
  tellingDeliveries,
  tellingReadiness,
  tellingSchedule,
} from "../../../src/runtime/telling-ports.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { createPorts } from "../gateway/harness.ts";

let directory: string;
let database: DatabaseSync;
let events: NewEvent[];
let stores: ReturnType<typeof openStores>;
const emit = (event: NewEvent) => {
  RuntimeEvent.parse({ ...event, at: 1 });
  events.push(event);
};
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-telling-"));
  database = openDatabase(join(directory, "state.db"), RUN_MIGRATIONS);
  events = [];
  stores = openStores(database, { emit, clock: systemClock });
});
afterEach(async () => {
  database.close();
  await rm(directory, { recursive: true, force: true });
});

const NOW = Date.now();
const SECRET = "tell-nobody";

function newRun(id: string, more: Partial<NewRun> = {}): NewRun {
  const context = { token: SECRET };
  const trigger = { kind: "webhook", source: "github", context } as const;
  return { ...{ id, agent: "dev", trigger, createdAt: NOW, reruns: 0 }, ...more };
}

const INTENT = {
  ...{ revision: "r", release: "rel", image: "i", credentials: "c", container: "box" },
  ...{ timeoutSeconds: 60, secretHash: SECRET },
};

/** Begins a run, and forgets what was told of it. */
async function begun(id: string): Promise<void> {
  await stores.runs.accept(newRun(id));
  await stores.runs.starting(id, INTENT);
  await stores.runs.running(id, NOW);
  events.length = 0;
}

test("a run is told of at each state it is in, once that is stored", async () => {
  await stores.runs.accept(newRun("01A", { key: "tick" }));
  await stores.runs.accept(newRun("01B", { key: "tick" }));
  await stores.runs.starting("01A", INTENT);
  await stores.runs.requeue("01A");
  await stores.runs.starting("01A", INTENT);
  await stores.runs.running("01A", NOW);
  const rerun = newRun("01C", { rerunOf: "01A", reruns: 1 });
  await stores.runs.finished("01A", { outcome: "rerun", endedAt: NOW, exitCode: 42 }, rerun);
  const facts = { kind: "run", run: "01A", agent: "dev", trigger: "webhook" };
  expect(events).toEqual([
    ...["queued", "starting", "queued", "starting", "running"].map((state) => ({
      ...facts,
      state,
    })),
    { ...facts, state: "finished", outcome: "rerun", exitCode: 42 },
    { ...facts, run: "01C", state: "queued", rerunOf: "01A" },
  ]);
  events.length = 0;
  await stores.runs.finishQueued("dev", { outcome: "cancelled", endedAt: NOW }, 10);
  expect(events).toMatchObject([{ ...facts, run: "01C", outcome: "cancelled" }]);
});

test("a lock is told of when it is taken, given back, and freed by its run's end", async () => {
  await begun("01A");
  const facts = { kind: "lock", resourceKey: "k", run: "01A", agent: "dev" };
  const lock = { run: "01A", resourceKey: "k", now: NOW };
  await stores.locks.acquire({ ...lock, expiresAt: NOW + 60_000 });
  await stores.locks.release(lock);
  await stores.locks.release(lock);
  await stores.locks.acquire({ ...lock, expiresAt: NOW + 60_000 });
  await stores.runs.finished("01A", { outcome: "completed", endedAt: NOW });
  expect(events).toMatchObject([
    { ...facts, change: "acquired" },
    { ...facts, change: "released" },
    { ...facts, change: "acquired" },
    { ...facts, change: "released" },
    { kind: "run", state: "finished" },
  ]);
});

test("a signal is told of, but not what a run returns, nor what nobody heard", async () => {
  await begun("01A");
  await stores.signals.setStatus("01A", "reading");
  await stores.signals.setReturnValue("01A", { token: SECRET });
  await stores.signals.askRerun("01A");
  await stores.signals.setStatus("none", "nobody");
  const facts = { kind: "signal", run: "01A" };
  expect(events).toEqual([
    { ...facts, signal: "status", text: "reading" },
    { ...facts, signal: "return" },
    { ...facts, signal: "rerun" },
  ]);
});

test("a delivery is told of with its runs and without its body, a second one as a duplicate", async () => {
  const receipt = {
    ...({ id: "01R", type: "github" } as const),
    ...{ sources: ["acme"], deliveryId: "d-1", receivedAt: NOW },
    ...{ headers: {}, body: Buffer.from(SECRET) },
  };
  const accept = async () => {
    const [stored] = await stores.receipts.accept([{ receipt, runs: [newRun("01A")] }]);
    return stored
      ? ({ kind: "accepted", runs: ["01A"], refused: [] } as const)
      : ({ kind: "duplicate" } as const);
  };
  const deliveries = tellingDeliveries({ accept }, emit);
  const delivery = { receipt, agents: ["dev"], trigger: newRun("01A").trigger };
  await deliveries.accept(delivery);
  await deliveries.accept({ ...delivery, receipt: { ...receipt, id: "01S" } });
  const facts = { kind: "webhook", type: "github", sources: ["acme"], deliveryId: "d-1" };
  expect(events).toMatchObject([
    { kind: "run", run: "01A", state: "queued", trigger: "webhook" },
    { ...facts, receipt: "01R", outcome: "accepted", runs: ["01A"] },
    { ...facts, receipt: "01S", outcome: "duplicate", runs: [] },
  ]);
  expect(JSON.stringify(events)).not.toContain(SECRET);
});

test("calls and what operators hold back are told of, refused ones with the reason", async () => {
  const ports = createPorts();
  const call = async (_caller: unknown, { target }: { target: string; context: Json }) => {
    if (target === "tester") return { ...ports.run, id: "01C" };
    throw new AlError("no such agent", { code: "unknown-agent", blame: "user" });
  };
  const schedule = tellingSchedule({ ...ports.schedule, call }, emit);
  await schedule.call(ports.run, { target: "tester", context: SECRET });
  const refused = schedule.call(ports.run, { target: "nobody", context: SECRET });
  await expect(refused).rejects.toMatchObject({ code: "unknown-agent" });
  await schedule.pause({ by: "ann@laptop" });
  await schedule.resume({});
  await schedule.resume({});
  await schedule.disable({ agent: "dev" });
  await schedule.enable({ agent: "dev" });
  await schedule.reload();
  const facts = { kind: "call", run: "01A", agent: "dev" };
  expect(events).toEqual([
    { ...facts, target: "tester", called: "01C" },
    { ...facts, target: "nobody", refused: "no such agent" },
    { kind: "state", change: "paused", by: "ann@laptop" },
    { kind: "state", change: "resumed" },
    { kind: "state", change: "disabled", agent: "dev" },
    { kind: "state", change: "enabled", agent: "dev" },
    { kind: "state", change: "reloaded" },
  ]);
});

test("that runs can start, or why not, is told when it changes", () => {
  const tell = tellingReadiness(emit);
  tell({ ready: false, reason: "Docker does not answer" });
  tell({ ready: false, reason: "Docker does not answer still" });
  tell({ ready: true });
  tell({ ready: true });
  expect(events).toEqual([
    { kind: "state", change: "not-ready", reason: "Docker does not answer" },
    { kind: "state", change: "ready" },
  ]);
});
