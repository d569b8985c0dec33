import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Duplex, Readable } from "node:stream";
import { json } from "node:stream/consumers";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { extract } from "tar-stream";
import { LABELS } from "../../src/core/names.ts";

interface StoredImage {
  readonly labels: Readonly<Record<string, string>>;
  readonly diffIds: readonly string[];
}

interface StoredContainer {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What it was created with. */
  readonly body: CreateBody;
  state: "created" | "running" | "exited";
}

interface CreateBody {
  readonly Image: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly HostConfig: {
    readonly NetworkMode?: string;
    readonly Mounts?: readonly { Type: string; Source?: string; Target: string }[];
  };
}

/** What an engine starts with, and where its host's project lies. */
export interface SimulatedEngineOptions {
  readonly socketPath: string;
  /** Absolute path of the project's directory: the runtime's report is made from what lies there. */
  readonly projectDir: string;
  /** Layers of an image that is there already. */
  readonly presentLayers: readonly string[];
}

/**
 * As much of Docker's API as a pass needs, over a unix socket. It takes images as archives, hashes
 * every layer it is sent, and refuses those whose layers are neither sent nor there; containers are
 * only remembered. A runtime reports what `current.json` says.
 */
export async function startSimulatedEngine(options: SimulatedEngineOptions): Promise<Server> {
  const engine = new SimulatedEngine(options);
  const server = createServer((request, response) => {
    engine.answer(request, response).catch((thrown) => {
      response.statusCode = 500;
      response.end(JSON.stringify({ message: String(thrown) }));
    });
  });
  server.on("upgrade", (_request, socket) => engine.control(socket));
  // As Docker: an idle connection stays.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.listen(options.socketPath);
  await once(server, "listening");
  return server;
}

class SimulatedEngine {
  readonly #images = new Map<string, StoredImage>();
  readonly #containers = new Map<string, StoredContainer>();
  readonly #networks = new Map<string, Record<string, unknown>>();
  readonly #layers: Set<string>;
  readonly #projectDir: string;

  constructor({ presentLayers, projectDir }: SimulatedEngineOptions) {
    this.#layers = new Set(presentLayers);
    this.#projectDir = projectDir;
    this.#images.set("base:latest", { labels: {}, diffIds: presentLayers });
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://engine");
    const path = url.pathname.replace(/^\/v1\.\d+/, "");
    const [room = "", ...rest] = path.slice(1).split("/");
    const method = request.method ?? "GET";
    const call: Call = { request, url, method, names: rest.map(decodeURIComponent) };
    const found = await this.#route(room, call);
    response.statusCode = found === undefined ? 404 : found === null ? 204 : 200;
    response.setHeader("content-type", "application/json");
    response.end(found === null ? "" : JSON.stringify(found ?? { message: `no ${path}` }));
  }

  async #route(room: string, call: Call): Promise<unknown> {
    const { names } = call;
    if (room === "version") return VERSION;
    if (room === "info") return INFO;
    if (room === "images") return this.#image(call);
    if (room === "containers") return this.#container(call);
    if (room === "networks") return this.#network(call);
    if (room === "exec" && names[1] === "json") return { Running: false, ExitCode: 0 };
    return undefined;
  }

  async #image({ request, url, method, names }: Call): Promise<unknown> {
    const last = names.at(-1);
    if (last === "load") return this.#load(request);
    if (names.length === 1 && last === "json") {
      return [...this.#images].map(([name, { labels }]) => summary(name, labels));
    }
    const name = (method === "DELETE" ? names : names.slice(0, -1)).join("/");
    const image = this.#images.get(name.replace(/^id-/, ""));
    if (!image) return undefined;
    if (method === "DELETE") this.#images.delete(name);
    if (last === "tag") {
      const { repo, tag } = Object.fromEntries(url.searchParams);
      this.#images.set(`${repo}:${tag}`, image);
    }
    if (last !== "json") return null;
    const RootFS = { Layers: image.diffIds };
    return {
      ...summary(name, image.labels),
      Architecture: "amd64",
      RootFS,
      Config: { Labels: image.labels },
    };
  }

  /** The form for classic stores: `manifest.json`, the configuration, then the layers sent. */
  async #load(request: IncomingMessage): Promise<unknown> {
    const documents = new Map<string, unknown>();
    const entries = (await uncompressed(request)).pipe(extract());
    for await (const entry of entries) {
      const { name } = entry.header;
      if (name.endsWith(".json")) documents.set(name, await json(entry));
      else this.#layers.add(await digestOf(entry));
    }
    const [manifest] = documents.get("manifest.json") as [{ Config: string; RepoTags: string[] }];
    const config = documents.get(manifest.Config) as ImageConfig;
    const diffIds = config.rootfs.diff_ids;
    const missing = diffIds.find((diffId) => !this.#layers.has(diffId));
    if (missing) return { error: `layer ${missing} is missing` };
    const image = { labels: config.config.Labels ?? {}, diffIds };
    for (const name of manifest.RepoTags) this.#images.set(name, image);
    return {};
  }

  async #container({ request, url, method, names }: Call): Promise<unknown> {
    const [name = "", action] = names;
    if (names.length === 1 && name === "json") return [...this.#containers.values()].map(listed);
    if (name === "create") {
      const body = (await json(request)) as CreateBody;
      const named = url.searchParams.get("name") ?? "";
      const { Image: image, Labels: labels } = body;
      this.#containers.set(named, { name: named, image, labels, body, state: "created" });
      return { Id: named };
    }
    const container = this.#containers.get(name);
    if (!container) return undefined;
    if (action === "json") return inspected(container);
    if (method === "DELETE") this.#containers.delete(name);
    if (action === "exec") return { Id: name };
    if (action === "start") container.state = "running";
    if (action === "stop") container.state = "exited";
    return null;
  }

  async #network({ request, names, method }: Call): Promise<unknown> {
    const [name = ""] = names;
    if (name === "") return [...this.#networks.values()];
    if (name === "create") {
      const body = (await json(request)) as { Name: string };
      this.#networks.set(body.Name, { Id: body.Name, ...body });
      return { Id: body.Name };
    }
    if (method === "DELETE") this.#networks.delete(name);
    return this.#networks.get(name);
  }

  /** Stands in for the control proxy and the runtime behind it. */
  control(socket: Duplex): void {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    socket.on("data", async (chunk: Buffer) => {
      if (!chunk.includes("/control/status")) return;
      const body = JSON.stringify({ report: await this.#report() });
      const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
      socket.write(frame(Buffer.from(head + body)));
    });
  }

  async #report() {
    const text = await readFile(`${this.#projectDir}/current.json`, "utf8").catch(() => "{}");
    const { release = "", credentials = "", revision = "" } = JSON.parse(text);
    return { release, credentials, revision, ready: true, activeRuns: 0, settled: true };
  }
}

interface Call {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly method: string;
  readonly names: readonly string[];
}

interface ImageConfig {
  readonly rootfs: { readonly diff_ids: readonly string[] };
  readonly config: { readonly Labels?: Readonly<Record<string, string>> };
}

const VERSION = { Version: "28.0.0", ApiVersion: "1.48", MinAPIVersion: "1.24", Arch: "amd64" };
const INFO = { DriverStatus: [], DockerRootDir: "/var/lib/docker", LiveRestoreEnabled: true };

function summary(name: string, labels: Readonly<Record<string, string>>) {
  return { Id: `id-${name}`, RepoTags: [name], Labels: labels, Size: 0 };
}

function listed({ name, image, labels, state }: StoredContainer) {
  const own = { [LABELS.project]: labels[LABELS.project] ?? "", ...labels };
  const ids = { Id: name, Names: [`/${name}`], Image: image, ImageID: `id-${image}` };
  return { ...ids, State: state, Labels: own, Created: 0 };
}

/** What it was created with, in the words of an inspection. */
function inspected({ name, image, body, state }: StoredContainer) {
  const { NetworkMode = "bridge", Mounts = [] } = body.HostConfig;
  const never = "0001-01-01T00:00:00Z";
  return {
    ...{ Id: name, Name: `/${name}`, Image: `id-${image}`, Created: never },
    State: { Status: state, ExitCode: 0, StartedAt: never, FinishedAt: never },
    Config: body,
    HostConfig: body.HostConfig,
    Mounts: Mounts.map(({ Type, Source, Target }) => ({ Type, Source, Destination: Target })),
    NetworkSettings: { Networks: { [NetworkMode]: { NetworkID: NetworkMode } } },
  };
}

async function digestOf(bytes: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of bytes) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}

async function uncompressed(request: IncomingMessage): Promise<Readable> {
  const chunks = request[Symbol.asyncIterator]();
  const { value: head = Buffer.alloc(0) } = (await chunks.next()) as { value?: Buffer };
  const whole = Readable.from(
    (async function* () {
      yield head;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    })(),
    { objectMode: false },
  );
  const magic = head.subarray(0, 4).toString("hex");
  if (magic === "28b52ffd") return whole.pipe(createZstdDecompress());
  return magic.startsWith("1f8b") ? whole.pipe(createGunzip()) : whole;
}

function frame(bytes: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = 1;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}
