import { join } from "node:path";
import { ulid } from "ulid";
import { steadyClock, systemClock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import {
  CONTAINER_API_PORT,
  CONTROL_SOCKET,
  DOOR_DIRECTORY,
  INGRESS_DIRECTORY,
} from "../core/names.ts";
import type { Current } from "../core/observed.ts";
import { openDocker } from "../docker/docker-client.ts";
import { containerApi } from "../gateway/container-api.ts";
import { controlApi } from "../gateway/control-api.ts";
import { createEventHub } from "../gateway/event-hub.ts";
import { ingressApp } from "../gateway/ingress-app.ts";
import { type Listening, listenAtDoor, listenOnPort, listenOnSocket } from "../gateway/listen.ts";
import { outsideApp } from "../gateway/outside-app.ts";
import type { RuntimePort } from "../gateway/ports.ts";
import { webhookApp } from "../gateway/webhook-app.ts";
import { createCalls } from "../schedule/calls.ts";
import { Locks } from "../schedule/locks.ts";
import { createScheduler } from "../schedule/scheduler.ts";
import { createSerial } from "../schedule/serial.ts";
import { tellingEnds } from "../schedule/telling-ends.ts";
import { openRunDatabase } from "../state/recover.ts";
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
import { keepCertificate } from "./live-certificate.ts";
import { liveGatewayKey } from "./live-gateway-key.ts";
import { liveReleases } from "./live-release.ts";
import { liveWebhooks } from "./live-webhooks.ts";
import { readOwnCurrent } from "./name-watch.ts";
import { openStores } from "./open-stores.ts";
import { createOutside } from "./outside.ts";
import type { Place } from "./run-container.ts";
import { runCredentials } from "./run-credentials.ts";
import { runLogs } from "./run-log-read.ts";
import { runContainerName } from "./run-names.ts";
import type { RuntimeOptions } from "./run-runtime.ts";
import { createRunner } from "./runner.ts";
import { runtimeLog } from "./runtime-log-read.ts";
import { noteStopped } from "./stopped-file.ts";
import { takeStock } from "./take-stock.ts";
import {
  tellingDeliveries,
  tellingReadiness,
  tellingRuntime,
  tellingSchedule,
} from "./telling-ports.ts";

/** A runtime at work. */
export interface Runtime {
  /** Follows a changed `current.json`; called first as soon as it is open. */
  reload(current: Current): Promise<void>;
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
  const apps = appsOf(options, parts);
  // Until it listens, and after, the door holds senders.
  const at = (name: string) => ({ directory: join(projectDir, name) });
  const outside = [
    createOutside("door", () => listenAtDoor(apps.outside, at(DOOR_DIRECTORY))),
    createOutside("ingress", () => listenAtDoor(apps.ingress, at(INGRESS_DIRECTORY))),
  ];
  const { receipts, releases } = parts;
  const keeping = { projectDir, releases, clock: steadyClock(), logger };
  const certificate = keepCertificate(keeping);
  const close = async () => {
    // What has arrived is still accepted, so that its sender has an answer.
    await Promise.all(outside.map((listener) => listener.close()));
    abort.abort(new AlError("the runtime ends", { code: "aborted", blame: "transient" }));
    parts.locks.stop();
    await scheduler.stop();
    await Promise.all([
      isolated,
      pruned,
      followed,
      failed.catch(() => undefined),
      ...listeners.map((listener) => listener.close()),
    ]);
    await parts.close();
  };
  let isolated: Promise<void> = Promise.resolve();
  let pruned: Promise<void> = Promise.resolve();
  let followed: Promise<void> = Promise.resolve();
  const engineWatch = { docker, runtimeName, clock: steadyClock(), logger, signal: abort.signal };
  const failed = watchEngine({
    ...engineWatch,
    onChange: (answers) => {
      parts.engine.answers = answers;
      parts.tellReady(readiness(parts));
      scheduler.poke();
    },
  });
  failed.catch(() => undefined);
  try {
    listeners.push(
      await listenOnPort(apps.containers, CONTAINER_API_PORT),
      await listenOnSocket(apps.control, CONTROL_SOCKET),
    );
    const { store, upkeep } = parts;
    const stock = { docker, store, upkeep, project, projectDir, logger };
    await takeStock({ ...stock, clock: systemClock, signal: abort.signal });
    await scheduler.start();
    parts.progress.started = true;
    isolated = keepIsolated(parts.keeping, abort.signal);
    pruned = keepPruned({ ...keeping, store, upkeep, receipts }, abort.signal);
    followed = certificate.keepFollowing(abort.signal);
  } catch (thrown) {
    await close();
    throw thrown;
  }
  logger.info({ project, host, projectDir }, "the runtime is live");
  const reload = async (current: Current) => {
    await scheduler.reload();
    await Promise.all(outside.map((listener) => listener.follow(current)));
    await certificate.follow();
  };
  return { reload, failed, close };
}

function openParts(options: RuntimeOptions, place: Place) {
  const { projectDir, logger } = options;
  const statePath = join(projectDir, "state.db");
  const { database, recovery } = openRunDatabase(statePath, systemClock.now());
  if (recovery) logger.error({ ...recovery }, "the database was damaged and has been replaced");
  const transport = openLocal({ host: place.host });
  const docker = openDocker(transport);
  const events = createEventHub(systemClock);
  const steady = steadyClock();
  const telling = { emit: events.emit, clock: steady };
  const stored = openStores(database, telling);
  const { runs: store, receipts, signals, upkeep } = stored;
  const releases = liveReleases(options);
  const locks = new Locks({ store: stored.locks, releases, clock: steady });
  const isolation: { latest: Isolation } = {
    latest: { ready: false, reason: "the network rules have not been checked yet" },
  };
  const engine = { answers: true };
  const progress = { started: false };
  const silent = createScheduler({
    store: tellingEnds(store, (run) => void locks.ended(run)),
    receipts,
    ...{ holds: stored.holds, ticks: stored.ticks },
    runner: createRunner({ docker, place, projectDir }),
    releases,
    ...{ clock: systemClock, steady },
    logger,
    ready: () => engine.answers && isolation.latest.ready,
    containerName: (run) => runContainerName(place.project, run),
  });
  const scheduler = tellingSchedule(silent, events.emit);
  const forRuns = { signals, locks, calls: createCalls({ store, signals }) };
  const close = async () => {
    docker.close();
    await transport.close();
    database.close();
  };
  const abort = new AbortController();
  const tellReady = tellingReadiness(events.emit);
  const onChange = (latest: Isolation) => {
    isolation.latest = latest;
    tellReady(readiness({ engine, isolation }));
    scheduler.poke();
  };
  const keeping = isolationOptions(options, { docker, place, releases, onChange });
  const state = { isolation, engine, progress, keeping, abort, events, tellReady };
  const stores = { database, store, receipts, upkeep };
  return { place, transport, docker, ...stores, releases, scheduler, ...forRuns, ...state, close };
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

/** What is served, and to whom: runs, operators, and strangers with or without the gateway's key. */
function appsOf(options: RuntimeOptions, parts: Parts) {
  const { logger, projectDir } = options;
  const { store: runs, scheduler: schedule, releases, events } = parts;
  const { locks, calls, signals, receipts } = parts;
  const runtime = tellingRuntime(runtimePort(options, parts), events.emit);
  const forRuns = { locks, calls, signals, credentials: runCredentials(projectDir) };
  const containers = containerApi({ runtime, runs, schedule, ...forRuns, logger });
  const accepting = {
    webhooks: liveWebhooks(projectDir, releases),
    deliveries: tellingDeliveries({ accept: schedule.deliver }, events.emit),
    clock: systemClock,
  };
  const webhooks = { ...accepting, receipts, newId: () => ulid() };
  const logs = { logs: runLogs(projectDir), runtimeLog: runtimeLog(projectDir) };
  const operators = { runtime, runs, schedule, locks, ...logs, webhooks, events };
  const control = controlApi({ ...operators, clock: systemClock, logger });
  const outside = outsideApp({
    ...{ webhooks: webhookApp({ ...accepting, logger }), control, clock: systemClock, logger },
    key: liveGatewayKey(projectDir, releases),
  });
  const published = { current: async () => (await releases.current())?.project.ingress };
  const { gateway: networkGateway } = parts.place.network;
  const ingress = ingressApp({ outside, published, networkGateway, clock: steadyClock(), logger });
  return { containers, control, outside, ingress };
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
    async stop({ by }) {
      const hold = { since: systemClock.now(), ...(by !== undefined && { by }) };
      await noteStopped(parts.transport, options.projectDir, hold);
    },
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

function readiness({
  engine,
  isolation,
}: {
  readonly engine: { readonly answers: boolean };
  readonly isolation: { readonly latest: Isolation };
}): Isolation {
  return engine.answers ? isolation.latest : { ready: false, reason: "Docker does not answer" };
}
