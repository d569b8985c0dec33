import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../../src/base/logger.ts";
import { Secret } from "../../../src/base/secret.ts";
import { containerApi } from "../../../src/gateway/container-api.ts";
import { controlApi } from "../../../src/gateway/control-api.ts";
import { listenOnPort } from "../../../src/gateway/listen.ts";
import { outsideApp } from "../../../src/gateway/outside-app.ts";
import { webhookApp } from "../../../src/gateway/webhook-app.ts";
import { createCalls } from "../../../src/schedule/calls.ts";
import { Locks } from "../../../src/schedule/locks.ts";
import { createLockStore } from "../../../src/state/lock-store.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { createSignalStore } from "../../../src/state/signal-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { createWebhookReceipts } from "../../../src/state/webhook-receipts.ts";
import { freePort } from "../../lab/free-port.ts";
import { agent, createWorld, release } from "../schedule/harness.ts";
import { settle } from "../schedule/simulated-clock.ts";
import { serveAtDoor } from "./at-door.ts";
import { createPorts } from "./harness.ts";
import { listener, source } from "./webhook-world.ts";

/** The gateway's key, and the secret of the GitHub source `acme`, to which agent `triage` listens. */
export const KEY = "the-key-of-this-gateway";
export const SIGNED_WITH = "s3cret";

/** All doors of a gateway on real sockets, over one scheduler and one database on disk. */
export type DoorsWorld = Awaited<ReturnType<typeof openDoorsWorld>>;

/** Only containers and time are simulated, and no run ends; slow senders are waited for as long as told. */
export async function openDoorsWorld(patience: { headersMs?: number; requestMs?: number } = {}) {
  const directory = await mkdtemp(join(tmpdir(), "al-doors-"));
  const database = openDatabase(join(directory, "state.db"), RUN_MIGRATIONS);
  const store = createRunStore(database);
  const receipts = createWebhookReceipts(database, store.enqueue);
  const world = createWorld({ store, receipts });
  world.release = release([agent("triage"), agent("dev"), agent("tester")]);
  world.engine.behaviour = () => ({ ms: 1e12, code: 0 });
  const scheduler = world.open();
  await scheduler.start();
  const { clock } = world;
  const releases = { current: async () => world.release };
  const signals = createSignalStore(database);
  const locks = new Locks({ store: createLockStore(database), releases, clock });
  const { runtime, logs, runtimeLog, events, credentials } = createPorts();
  const shared = { runtime, runs: store, schedule: scheduler, locks, logger: silentLogger, clock };
  const calls = createCalls({ store, signals });
  const live = {
    sources: [source("acme", "github", { secrets: [SIGNED_WITH] })],
    listeners: [listener("triage", "acme")],
  };
  const accepting = {
    ...{ webhooks: { current: async () => live }, deliveries: { accept: scheduler.deliver } },
    ...{ clock, logger: silentLogger },
  };
  const replay = { ...accepting, receipts, newId: () => "01R" };
  const outside = outsideApp({
    webhooks: webhookApp(accepting),
    control: controlApi({ ...shared, logs, runtimeLog, events, webhooks: replay }),
    ...{ key: { current: async () => new Secret(KEY) }, clock, logger: silentLogger },
  });
  const containers = containerApi({ ...shared, signals, calls, credentials });
  const port = await freePort();
  const inner = await listenOnPort(containers, port, patience);
  const outer = await serveAtDoor(outside, patience);
  return {
    /** Ports by the door's name; the control API is behind the outside one. */
    ports: { webhooks: outer.port, control: outer.port, containers: port },
    engine: world.engine,
    /** What is stored: runs and receipts. */
    stored: async () => ({
      runs: (await store.list({ limit: 1000 })).length,
      receipts: (await receipts.list({ limit: 1000 })).length,
    }),
    /** A run that has begun, with its secret. */
    async run(name: string) {
      const { id } = await scheduler.trigger(name);
      while (!world.engine.starts.includes(id)) await settle();
      return { id, secret: world.engine.secretOf(id) };
    },
    async dispose() {
      await Promise.all([inner.close(), outer.close()]);
      locks.stop();
      await scheduler.stop();
      database.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
