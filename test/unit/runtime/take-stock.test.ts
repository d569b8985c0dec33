import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLogger } from "../../../src/base/logger.ts";
import { LABELS } from "../../../src/core/names.ts";
import type { ContainerState, ContainerSummary } from "../../../src/docker/container-calls.ts";
import { logPath } from "../../../src/runtime/run-log-file.ts";
import { takeStock } from "../../../src/runtime/take-stock.ts";
import { openRunDatabase } from "../../../src/state/recover.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { createRunUpkeep } from "../../../src/state/run-upkeep.ts";
import { SimulatedClock } from "../schedule/simulated-clock.ts";

const ID = "01KADEADBEEF00000000000000";
const STARTED = "2026-01-31T12:00:00.000Z";
const clock = new SimulatedClock();

let projectDir: string;
let database: DatabaseSync;
let store: ReturnType<typeof createRunStore>;
let told: string[];
let removed: string[];
beforeEach(() => {
  projectDir = mkdtempSync(join(tmpdir(), "al-stock-"));
  database = openRunDatabase(join(projectDir, "state.db"), clock.now()).database;
  store = createRunStore(database);
  told = [];
  removed = [];
});
afterEach(() => {
  database.close();
  rmSync(projectDir, { recursive: true });
});

async function take(containers: readonly ContainerSummary[]): Promise<void> {
  const docker = {
    listContainers: async () => containers,
    inspectContainer: async () => ({ startedAt: STARTED }) as ContainerState,
    removeContainer: async (id: string) => void removed.push(id),
  };
  const logger = {
    ...silentLogger,
    error: (_: unknown, message: string) => void told.push(message),
  };
  const { signal } = new AbortController();
  const upkeep = createRunUpkeep(database);
  await takeStock({ docker, store, upkeep, project: "p", projectDir, clock, logger, signal });
}

function container(state: string, run = ID): ContainerSummary {
  return {
    ...{ id: `c-${run}`, name: `al-p-run-${run.toLowerCase()}`, image: "al-p/dev:1", imageId: "i" },
    ...{ state, createdAt: 1 },
    labels: {
      ...{ [LABELS.run]: run, [LABELS.agent]: "dev", [LABELS.revision]: "abc" },
      [LABELS.specHash]: "release",
    },
  };
}

async function queue(id: string): Promise<void> {
  const trigger = { kind: "webhook", source: "github", context: { event: "push" } } as const;
  await store.accept({ id, agent: "dev", trigger, createdAt: 1, reruns: 0 });
}

function log(id: string): void {
  const path = logPath(projectDir, { agent: "dev", id });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
}

it.each(["running", "paused", "exited"])(
  "records a %s container without a record",
  async (state) => {
    await take([container(state)]);
    expect(await store.get(ID)).toMatchObject({
      ...{ agent: "dev", state: "running", trigger: { kind: "lost" } },
      startedAt: Date.parse(STARTED),
      start: { revision: "abc", release: "release", container: container(state).name },
    });
    expect(told).toEqual(["run without a record taken over"]);
    await take([container(state)]);
    expect(told).toHaveLength(1);
  },
);

it("knows that what is recorded as waiting is running, and what it was told", async () => {
  await queue(ID);
  await take([container("running")]);
  const run = await store.get(ID);
  expect(run).toMatchObject({ state: "running", trigger: { kind: "webhook", source: "github" } });
  expect(run?.start?.container).toBe(container("running").name);
});

it("does not start again what has a log and no container", async () => {
  for (const id of [ID, `${ID.slice(0, -1)}1`]) await queue(id);
  log(ID);
  await take([]);
  expect(await store.get(ID)).toMatchObject({
    ...{ state: "finished", outcome: "interrupted", detail: expect.stringContaining("begun") },
  });
  expect((await store.unfinished()).map(({ id }) => id)).toEqual([`${ID.slice(0, -1)}1`]);
  expect(told).toEqual(["run that had begun is not started again"]);
});

it("removes a container that was never started, of a run that waits", async () => {
  await queue(ID);
  await take([container("created"), container("created", `${ID.slice(0, -1)}1`)]);
  expect(removed).toEqual([`c-${ID}`]);
  expect(await store.get(ID)).toMatchObject({ state: "queued" });
});

it("changes nothing where records and world agree", async () => {
  await queue(ID);
  const { release, ...more } = { release: "release", image: "i", credentials: "s", revision: "r" };
  const intent = { release, ...more, container: "c", timeoutSeconds: 1, secretHash: "h" };
  await store.starting(ID, intent);
  log(ID);
  const before = await store.get(ID);
  await take([container("running"), { ...container("running", "not-a-run") }]);
  expect(await store.get(ID)).toEqual(before);
  await store.finished(ID, { outcome: "completed", endedAt: 2 });
  await take([container("exited")]);
  expect(await store.get(ID)).toMatchObject({ outcome: "completed" });
  expect([told, removed]).toEqual([[], []]);
});
