import { once } from "node:events";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { json, text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { extract } from "tar-stream";
import { LABELS } from "../../src/core/names.ts";

/** What a run does, and how long a call of the engine takes; ms. */
export interface RunEngineOptions {
  readonly socketPath: string;
  /** Name of the runtime's own container. */
  readonly runtimeName: string;
  /** A line for each time a run's process begins, written through to the disk. */
  readonly startsPath: string;
  readonly runMs: (agent: string) => number;
  readonly callMs?: () => number;
}

/** How far a run's container is. */
export type ContainerStage = "created" | "running" | "exited";

interface Container {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly body: { readonly Image?: string; readonly Labels?: Record<string, string> };
  stage: ContainerStage;
  startedAt: string;
  finishedAt: string;
  exitCode: number;
  readonly ended: PromiseWithResolvers<void>;
}

const NEVER = "0001-01-01T00:00:00Z";

/**
 * As much of Docker's API as a runtime needs for runs, over a unix socket: containers are remembered,
 * and begin and end on time. As with Docker, an ended container that is started begins once more.
 */
export class RunEngine {
  readonly containers = new Map<string, Container>();
  /** Ids of runs in the order in which their processes began, once for each time. */
  readonly starts: string[] = [];
  /** The secret of each run, as it was put into its volume. */
  readonly secrets = new Map<string, string>();
  /** Calls so far. */
  calls = 0;
  readonly #volumes = new Map<string, Readonly<Record<string, string>>>();
  readonly #options: RunEngineOptions;
  readonly #server: Server;
  readonly #record: number;

  private constructor(options: RunEngineOptions) {
    this.#options = options;
    const { O_APPEND, O_CREAT, O_SYNC, O_WRONLY } = constants;
    this.#record = openSync(options.startsPath, O_APPEND | O_CREAT | O_SYNC | O_WRONLY);
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((thrown) => {
        if (!response.headersSent) response.statusCode = 500;
        response.end(JSON.stringify({ message: String(thrown) }));
      });
    });
    this.#server.keepAliveTimeout = 0;
    this.#server.requestTimeout = 0;
  }

  /** An engine that listens. */
  static async start(options: RunEngineOptions): Promise<RunEngine> {
    const engine = new RunEngine(options);
    engine.#server.listen(options.socketPath);
    await once(engine.#server, "listening");
    return engine;
  }

  /** How far the run's own container is, or that only the one is there that its files are put in by. */
  stageOf(run: string): ContainerStage | "carrier" | undefined {
    const own = [...this.containers.values()].filter(({ labels }) => labels[LABELS.run] === run);
    const found = own.find(({ labels }) => labels[LABELS.role] === "run");
    return found?.stage ?? (own.length > 0 ? "carrier" : undefined);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    closeSync(this.#record);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://engine");
    const [room = "", ...names] = url.pathname
      .replace(/^\/v1\.\d+/, "")
      .slice(1)
      .split("/");
    this.calls += 1;
    const wait = this.#options.callMs?.() ?? 0;
    if (wait > 0) await delay(wait);
    const call = { request, response, url, method: request.method ?? "GET", names };
    const found = await this.#route(room, call);
    if (response.headersSent) return;
    const conflict = found === CONFLICT;
    response.statusCode = conflict ? 409 : found === undefined ? 404 : found === null ? 204 : 200;
    response.setHeader("content-type", "application/json");
    response.end(found === null ? "" : JSON.stringify(found ?? { message: "no such thing" }));
  }

  async #route(room: string, call: Call): Promise<unknown> {
    if (room === "version") return { Version: "28.0.0", ApiVersion: "1.48", Arch: "amd64" };
    if (room === "info") return { DriverStatus: [], DockerRootDir: "/", LiveRestoreEnabled: true };
    if (room === "containers") return this.#container(call);
    return room === "volumes" ? this.#volume(call) : undefined;
  }

  async #container(call: Call): Promise<unknown> {
    const { request, url, method, names } = call;
    const [name = "", action] = names;
    if (action === undefined && name === "json") {
      const wanted = labelsOf(url);
      return [...this.containers.values()].filter(hasLabels(wanted)).map(listed);
    }
    if (name === "create") return this.#create(url.searchParams.get("name") ?? "", request);
    if (name === this.#options.runtimeName) return inspected(runtimeContainer(name), true);
    const container = this.containers.get(name);
    if (!container) return undefined;
    if (method === "DELETE") return this.#remove(container);
    return this.#act(action, container, call);
  }

  async #act(action: string | undefined, container: Container, call: Call): Promise<unknown> {
    if (action === "json") return inspected(container);
    if (action === "start") return this.#begin(container);
    if (action === "kill" || action === "stop") return end(container, 137);
    if (action === "wait") {
      await container.ended.promise;
      return { StatusCode: container.exitCode };
    }
    if (action === "logs") return this.#logs(container, call);
    if (action === "archive") return this.#keepSecret(container, call.request);
    return undefined;
  }

  async #create(name: string, request: IncomingMessage): Promise<unknown> {
    const body = (await json(request)) as Container["body"];
    if (this.containers.has(name)) return CONFLICT;
    this.containers.set(name, { ...fresh(name), labels: body.Labels ?? {}, body });
    return { Id: name };
  }

  #begin(container: Container): null {
    if (container.stage === "running") return null;
    const { labels } = container;
    const run = labels[LABELS.run];
    container.stage = "running";
    container.startedAt = new Date().toISOString();
    if (run === undefined) return end(container, 0);
    writeSync(this.#record, `${run}\n`);
    this.starts.push(run);
    const ms = this.#options.runMs(labels[LABELS.agent] ?? "");
    setTimeout(() => end(container, 0), ms).unref();
    return null;
  }

  #remove(container: Container): null {
    this.containers.delete(container.name);
    return end(container, 137);
  }

  async #logs(container: Container, { response, url }: Call): Promise<null> {
    response.writeHead(200, { "content-type": "application/vnd.docker.raw-stream" });
    // What the rules' container says; a run says one line.
    const stamp = url.searchParams.has("timestamps") ? `${nanoseconds(container)} ` : "";
    response.write(frame(`${stamp}ok\n`));
    if (url.searchParams.has("follow")) await container.ended.promise;
    response.end();
    return null;
  }

  async #keepSecret({ labels }: Container, request: IncomingMessage): Promise<null> {
    for await (const entry of request.pipe(extract())) {
      const content = await text(entry);
      if (entry.header.name === "secret") this.secrets.set(labels[LABELS.run] ?? "", content);
    }
    return null;
  }

  async #volume({ request, url, method, names }: Call): Promise<unknown> {
    const [name = ""] = names;
    if (name === "create") {
      const { Name, Labels } = (await json(request)) as { Name: string; Labels: VolumeLabels };
      this.#volumes.set(Name, Labels);
      return { Name, Labels };
    }
    if (method === "DELETE") return this.#volumes.delete(name) ? null : undefined;
    const all = [...this.#volumes].map(([Name, labels]) => ({ Name, Labels: labels, labels }));
    return { Volumes: all.filter(hasLabels(labelsOf(url))) };
  }
}

type VolumeLabels = Readonly<Record<string, string>>;

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly method: string;
  readonly names: readonly string[];
}

const CONFLICT = { message: "the name is taken" };

function fresh(name: string): Container {
  const times = { startedAt: NEVER, finishedAt: NEVER, exitCode: 0 };
  return { name, labels: {}, body: {}, stage: "created", ...times, ended: Promise.withResolvers() };
}

function runtimeContainer(name: string): Container {
  return { ...fresh(name), stage: "running", startedAt: "2026-01-01T00:00:00Z" };
}

function end(container: Container, exitCode: number): null {
  if (container.stage === "running") {
    container.stage = "exited";
    container.finishedAt = new Date().toISOString();
    container.exitCode = exitCode;
  }
  container.ended.resolve();
  return null;
}

function labelsOf(url: URL): readonly string[] {
  return (JSON.parse(url.searchParams.get("filters") ?? "{}") as { label?: string[] }).label ?? [];
}

function hasLabels(wanted: readonly string[]) {
  return ({ labels }: { readonly labels: VolumeLabels }) =>
    wanted.every((each) => {
      const [key = "", value] = each.split("=");
      return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
    });
}

function listed({ name, labels, stage, body }: Container) {
  const ids = { Id: name, Names: [`/${name}`], Image: body.Image ?? "", ImageID: "sha256:1" };
  return { ...ids, State: stage, Labels: labels, Created: 0 };
}

function inspected(container: Container, inNetwork = false) {
  const { name, labels, stage, body, startedAt, finishedAt, exitCode } = container;
  const Networks = inNetwork ? { "al-bench": { IPAddress: "127.0.0.1", NetworkID: "1" } } : {};
  return {
    ...{ Id: name, Name: `/${name}`, Image: "sha256:1", Created: NEVER, Mounts: [] },
    State: { Status: stage, ExitCode: exitCode, StartedAt: startedAt, FinishedAt: finishedAt },
    Config: { Image: body.Image ?? "", Labels: labels },
    HostConfig: {},
    NetworkSettings: { Networks, Ports: {} },
  };
}

function nanoseconds({ startedAt }: Container): string {
  return startedAt.replace("Z", "000000Z");
}

function frame(line: string): Buffer {
  const bytes = Buffer.from(line);
  const header = Buffer.alloc(8);
  header[0] = 1;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}
