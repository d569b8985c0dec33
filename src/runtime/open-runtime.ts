import { join } from "node:path";
import { ulid } from "ulid";
import { systemClock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import { CONTAINER_API_PORT, CONTROL_SOCKET, OUTSIDE_PORT } from "../core/names.ts";
import type { Current } from "../core/observed.ts";
import { openDocker } from "../docker/docker-client.ts";
import { containerApi } from "../gateway/container-api.ts";
import { controlApi } from "../gateway/control-api.ts";
import { type Listening, listenOnPort, listenOnSocket, listenOutside } from "../gateway/listen.ts";
import type { RuntimePort } from "../gateway/ports.ts";
import { webhookApp } from "../gateway/webhook-app.ts";
import { createCalls } from "../schedule/calls.ts";
import { Locks } from "../schedule/locks.ts";
import { createScheduler } from "../schedule/scheduler.ts";
import { createSerial } from "../schedule/serial.ts";
import { tellingEnds } from "../schedule/telling-ends.ts";
import { openRunDatabase } from "../state/recover.ts";
import { createRunStorage } from "../state/run-storage.ts";
import { asides } from "../state/set-aside.ts";
import { proveWritable } from "../state/sqlite.ts";
import { openLocal } from "../transport/local.ts";
import type { IsolationTools } from "./apply-rules.ts";
import { watchEngine } from "./engine-watch.ts";
import {
  type Isolation,
  type IsolationOptions,
  keepIsolated,
  lookAtIsolation,
  restoreIsolation,
} from "./isolation.ts";
import { keepPruned } from "./keep-pruned.ts";
import { liveReleases } from "./live-release.ts";
import { liveWebhooks } from "./live-webhooks.ts";
import { readOwnCurrent } from "./name-watch.ts";
import type { Place } from "./run-container.ts";
import { runCredentials } from "./run-credentials.ts";
import { runLogs } from "./run-log-read.ts";
import { runContainerName } from "./run-names.ts";
import type { RuntimeOptions } from "./run-runtime.ts";
import { createRunner } from "./runner.ts";
import { takeStock } from "./take-stock.ts";

/** A runtime at work. */
export interface Runtime {
  /** Follows a changed `current.json`. */
  reload(): Promise<void>;
  /** Rejects when the engine is lost and only a new start helps; otherwise never settles before `close`. */
  readonly failed: Promise<void>;
  /** Takes no more triggers, closes its listeners, leaves runs running. */
  close(): Promise<void>;
}

/** For how long a store that was written is taken to be writable. */
const PROOF_MS = 1000;

type Parts = ReturnType<typeof openParts>;

/** Wires scheduler, gateway, store and engine together, and starts them. The lock must be held. */
export async function openRuntime(options: RuntimeOptions, current: Current): Promise<Runtime> {
  const { logger, projectDir, runtimeName } = options;
  const { project, host, network } = current;
  const parts = openParts(options, { project, host, network });
  const { scheduler, docker, abort } = parts;
  const listeners: Listening[] = [];
  const close = async () => {
    abort.abort(new AlError("the runtime ends", { code: "aborted", blame: "transient" }));
    parts.locks.stop();
    await scheduler.stop();
    await Promise.all([
      isolated,
      pruned,
      failed.catch(() => undefined),
      ...listeners.map((listener) => listener.close()),
    ]);
    await parts.close();
  };
  let isolated: Promise<void> = Promise.resolve();
  let pruned: Promise<void> = Promise.resolve();
  const engineWatch = { docker, runtimeName, clock: systemClock, logger, signal: abort.signal };
  const failed = watchEngine({
    ...engineWatch,
    onChange: (answers) => {
      parts.engine.answers = answers;
      scheduler.poke();
    },
  });
  failed.catch(() => undefined);
  try {
    listeners.push(...(await listen(options, parts)));
    const { store, upkeep } = parts;
    const stock = { docker, store, upkeep, project, projectDir, logger };
    await takeStock({ ...stock, clock: systemClock, signal: abort.signal });
    await scheduler.start();
    parts.progress.started = true;
    isolated = keepIsolated(parts.keeping, abort.signal);
    const { receipts, releases } = parts;
    const pruning = { projectDir, store, upkeep, receipts, releases };
    pruned = keepPruned({ ...pruning, clock: systemClock, logger }, abort.signal);
  } catch (thrown) {
    await close();
    throw thrown;
  }
  logger.info({ project, host, projectDir }, "the runtime is live");
  return { reload: () => scheduler.reload(), failed, close };
}

function openParts(options: RuntimeOptions, place: Place) {
  const { projectDir, logger } = options;
  const statePath = join(projectDir, "state.db");
  const { database, recovery } = openRunDatabase(statePath, systemClock.now());
  if (recovery) logger.error({ ...recovery }, "the database was damaged and has been replaced");
  const transport = openLocal({ host: place.host });
  const docker = openDocker(transport);
  const storage = createRunStorage(database);
  const { runs: store, signals, receipts, upkeep } = storage;
  const releases = liveReleases(options);
  const locks = new Locks({ store: storage.locks, releases, clock: systemClock });
  const isolation: { latest: Isolation } = {
    latest: { ready: false, reason: "the network rules have not been checked yet" },
  };
  const engine = { answers: true };
  const progress = { started: false };
  const scheduler = createScheduler({
    store: tellingEnds(store, (run) => void locks.ended(run)),
    receipts,
    runner: createRunner({ docker, place, projectDir }),
    releases,
    clock: systemClock,
    logger,
    ready: () => engine.answers && isolation.latest.ready,
    containerName: (run) => runContainerName(place.project, run),
  });
  const forRuns = { signals, locks, calls: createCalls({ store, signals }) };
  const close = async () => {
    docker.close();
    await transport.close();
    database.close();
  };
  const abort = new AbortController();
  const onChange = (latest: Isolation) => {
    isolation.latest = latest;
    scheduler.poke();
  };
  const keeping = isolationOptions(options, { docker, place, releases, onChange });
  const state = { isolation, engine, progress, keeping, abort };
  const stores = { database, store, receipts, upkeep };
  return { place, docker, ...stores, releases, scheduler, ...forRuns, ...state, close };
}

function isolationOptions(
  { runtimeName, logger }: RuntimeOptions,
  parts: Pick<IsolationTools, "docker" | "place"> &
    Pick<IsolationOptions, "onChange"> & { readonly releases: ReturnType<typeof liveReleases> },
): IsolationOptions {
  const { docker, place, releases, onChange } = parts;
  const tools = async () => {
    const release = await releases.current();
    if (!release) throw new AlError("not live", { code: "not-serving", blame: "transient" });
    return { docker, place, baseImage: release.project.baseImage };
  };
  return { tools, runtimeName, clock: systemClock, logger, onChange, serial: createSerial() };
}

async function listen(options: RuntimeOptions, parts: Parts): Promise<Listening[]> {
  const { logger, projectDir } = options;
  const { store: runs, scheduler: schedule } = parts;
  const runtime = runtimePort(options, parts);
  const credentials = runCredentials(projectDir);
  const { locks, calls, signals } = parts;
  const forRuns = { locks, calls, signals, credentials };
  const containers = containerApi({ runtime, runs, schedule, ...forRuns, logger });
  const accepting = {
    webhooks: liveWebhooks(projectDir, parts.releases),
    deliveries: { accept: schedule.deliver },
    clock: systemClock,
  };
  const outside = webhookApp({ ...accepting, logger });
  const webhooks = { ...accepting, receipts: parts.receipts, newId: () => ulid() };
  const logs = runLogs(projectDir);
  const operators = { runtime, runs, schedule, logs, webhooks };
  const control = controlApi({ ...operators, clock: systemClock, logger });
  return [
    await listenOutside(outside, { port: OUTSIDE_PORT }),
    await listenOnPort(containers, CONTAINER_API_PORT),
    await listenOnSocket(control, CONTROL_SOCKET),
  ];
}

function runtimePort(options: RuntimeOptions, parts: Parts): RuntimePort {
  const { database, scheduler, keeping, abort, progress } = parts;
  let provedAt = -Infinity;
  return {
    async serving() {
      if (!progress.started || !(await readOwnCurrent(options))) return false;
      // Whoever can reach the port can ask, and each proof costs the disk a write.
      if (performance.now() - provedAt < PROOF_MS) return true;
      proveWritable(database);
      provedAt = performance.now();
      return true;
    },
    restoreRules: () => restoreIsolation(keeping, abort.signal),
    async report({ rules = false } = {}) {
      const current = await readOwnCurrent(options);
      if (!current) throw new AlError("not live", { code: "not-serving", blame: "transient" });
      const { release, credentials, revision } = current;
      const [activeRuns, settled, looked] = await Promise.all([
        scheduler.activeRuns(),
        scheduler.isSettled(),
        rules ? lookAtIsolation(keeping, abort.signal).catch(() => undefined) : undefined,
      ]);
      const [damaged] = asides(join(options.projectDir, "state.db"));
      return {
        ...{ release, credentials, revision, ...readiness(parts), activeRuns, settled },
        ...(looked !== undefined && { rules: looked }),
        ...(damaged && { damaged }),
      };
    },
  };
}

function readiness({ engine, isolation }: Parts): Isolation {
  return engine.answers ? isolation.latest : { ready: false, reason: "Docker does not answer" };
}
