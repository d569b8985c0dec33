import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { silentLogger } from "../../../src/base/logger.ts";
import type { Trigger } from "../../../src/core/trigger.ts";
import { type ContainerApiPorts, containerApi } from "../../../src/gateway/container-api.ts";
import { type Listening, listenOnPort } from "../../../src/gateway/listen.ts";
import { createCalls } from "../../../src/schedule/calls.ts";
import { Locks } from "../../../src/schedule/locks.ts";
import type { Scheduler } from "../../../src/schedule/scheduler.ts";
import { tellingEnds } from "../../../src/schedule/telling-ends.ts";
import { createLockStore } from "../../../src/state/lock-store.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { createSignalStore } from "../../../src/state/signal-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { freePort } from "../../lab/free-port.ts";
import { agent, createWorld, release } from "../schedule/harness.ts";
import { settle } from "../schedule/simulated-clock.ts";

/** A run that is under way, with the secret it was given. */
export interface LiveRun {
  readonly id: string;
  readonly secret: string;
}

/** Status and parsed body of an answer. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Opened {
  readonly database: DatabaseSync;
  readonly scheduler: Scheduler;
  readonly ports: ContainerApiPorts;
  readonly listening: Listening;
  readonly locks: Locks;
}

/**
 * The container API as a runtime has it: its own listener, scheduler and database on disk. Only
 * containers and time are simulated; no run ends by itself.
 */
export class GatewayWorld {
  readonly world = createWorld();
  readonly #directory: string;
  readonly #port: number;
  #opened: Opened | undefined;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#port = port;
    this.world.release = release(["dev", "reviewer", "tester"].map((name) => agent(name)));
    this.world.engine.behaviour = () => ({ ms: 1e12, code: 0 });
  }

  /** A world whose runtime is up. */
  static async create(): Promise<GatewayWorld> {
    const directory = await mkdtemp(join(tmpdir(), "al-gateway-"));
    const created = new GatewayWorld(directory, await freePort());
    await created.up();
    return created;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get ports(): ContainerApiPorts {
    return this.#now.ports;
  }

  /** What is stored of a run's trigger, its context included. */
  triggerOf(run: string): Promise<Trigger> {
    return createRunStore(this.#now.database).trigger(run);
  }

  get scheduler(): Scheduler {
    return this.#now.scheduler;
  }

  /** Starts a runtime on what the last one left. */
  async up(options: { readonly adopt?: boolean } = {}): Promise<void> {
    const database = openDatabase(join(this.#directory, "state.db"), RUN_MIGRATIONS);
    const { clock, engine } = this.world;
    const store = createRunStore(database);
    const signals = createSignalStore(database);
    const releases = { current: async () => this.world.release };
    const locks = new Locks({ store: createLockStore(database), releases, clock });
    const telling = tellingEnds(store, (run) => void locks.ended(run));
    const scheduler = this.world.open({ runner: engine, store: telling });
    const ports = {
      runtime: { serving: async () => true, report: unused, restoreRules: unused, stop: unused },
      ...{ runs: store, schedule: scheduler, signals, logger: silentLogger },
      locks,
      calls: createCalls({ store, signals }),
      credentials: { read: async () => ({ github_token: { default: { token: "ghp" } } }) },
    };
    const listening = await listenOnPort(containerApi(ports), this.#port);
    this.#opened = { database, scheduler, ports, listening, locks };
    if (options.adopt !== false) await scheduler.start();
  }

  /** Ends the runtime; its runs go on. */
  async down(): Promise<void> {
    const { database, scheduler, listening, locks } = this.#now;
    this.#opened = undefined;
    locks.stop();
    await scheduler.stop();
    await listening.close();
    database.close();
  }

  /** A run of an agent, by hand, once it has begun. */
  async run(name = "dev"): Promise<LiveRun> {
    const { id } = await this.scheduler.trigger(name);
    return this.begun(id);
  }

  /** A run that was accepted, once its container has begun. */
  async begun(id: string): Promise<LiveRun> {
    while (!this.world.engine.starts.includes(id)) await settle();
    return { id, secret: this.world.engine.secretOf(id) };
  }

  /** Ends a run's container, and waits until its end is stored. */
  async end(id: string, code = 0): Promise<void> {
    this.world.engine.end(`run-${id}`, code);
    while ((await this.ports.runs.get(id))?.state !== "finished") await settle();
  }

  /** A POST of a body; text is sent as it is. */
  async post(
    path: string,
    body: unknown,
    options: Pick<RequestInit, "headers" | "signal"> = {},
  ): Promise<Answer> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return answer(await fetch(`${this.url}${path}`, { method: "POST", body: text, ...options }));
  }

  /** A GET. */
  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return answer(await fetch(`${this.url}${path}`, { headers }));
  }

  async dispose(): Promise<void> {
    if (this.#opened) await this.down();
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #now(): Opened {
    if (this.#opened) return this.#opened;
    throw new TypeError("the runtime is down");
  }
}

async function answer(response: Response): Promise<Answer> {
  return { status: response.status, body: await response.json() };
}

function unused(): never {
  throw new TypeError("not part of this world");
}
