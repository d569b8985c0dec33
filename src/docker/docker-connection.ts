import { addAbortSignal, type Duplex, type Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { z } from "zod";
import { type CallOptions, withDeadline } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { Architecture } from "../core/desired.ts";
import type { Transport } from "../transport/transport.ts";
import { diagnoseSocket, engineError } from "./docker-errors.ts";
import { VersionJson } from "./docker-json.ts";
import { ForwardingAgent } from "./forwarding-agent.ts";
import { Semaphore } from "./semaphore.ts";

/** One request to the engine. */
export interface EngineRequest extends CallOptions {
  /** Default `GET`. */
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the API version, names already encoded: `/containers/x/json`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as the request's body, a tar archive; destroyed when the request ends early. */
  readonly archive?: Readable;
  /** Takes long by nature: no default deadline, and not counted among parallel requests. */
  readonly long?: boolean;
}

/** What was negotiated with the engine. */
export interface NegotiatedEngine {
  readonly serverVersion: string;
  readonly apiVersion: string;
  readonly architecture: Architecture;
  /** A path without a version means `apiVersion`: it is the newest the engine speaks. */
  readonly isNewest: boolean;
}

/** Requests to one engine; `what` completes "cannot ..." in messages. */
export interface EngineConnection {
  readonly host: string;
  engine(options: CallOptions): Promise<NegotiatedEngine>;
  /** Sends a request and drops the answer. */
  call(what: string, request: EngineRequest): Promise<void>;
  /** Sends a request and parses the answer. */
  json<T extends z.ZodType>(what: string, schema: T, request: EngineRequest): Promise<z.infer<T>>;
  /** The answer as it comes; the request's signal ends it at any time, its deadline only the wait for it. */
  stream(what: string, request: EngineRequest): Promise<Readable>;
  /** The raw connection after the engine has switched protocols. */
  hijack(what: string, request: EngineRequest): Promise<Duplex>;
  close(): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Requests that may be under way at once; each may take a forwarded socket. */
const PARALLEL_REQUESTS = 16;
/** Engine 20.10, the oldest we know. */
const OLDEST_API = "1.41";
/** Engine 28; newer ones still speak it. */
const NEWEST_API = "1.51";

/** Opens requests to the engine behind a socket of the transport's machine; connects on the first one. */
export function openConnection(transport: Transport, socketPath: string): EngineConnection {
  const { host } = transport;
  const agent = new ForwardingAgent(() =>
    transport
      .forwardUnix(socketPath, { timeoutMs: DEFAULT_TIMEOUT_MS })
      .catch(async (thrown) => Promise.reject(await diagnoseSocket(transport, socketPath, thrown))),
  );
  const modem = loadModem(agent);
  const slots = new Semaphore(PARALLEL_REQUESTS);
  let negotiated: Promise<NegotiatedEngine> | undefined;
  let isNegotiated = false;

  async function dial(what: string, request: EngineRequest, answer: Answer): Promise<unknown> {
    const timeoutMs = request.timeoutMs ?? (request.long ? undefined : DEFAULT_TIMEOUT_MS);
    const bounds = { signal: request.signal, timeoutMs };
    const send = async (signal: AbortSignal) => {
      const sendTo = async (prefix: string) => {
        const work = async () => (await modem)(prefix, { request, answer, signal });
        return request.long ? work() : slots.run(work, signal);
      };
      const isEarly = !isNegotiated && answer === "body" && (request.method ?? "GET") === "GET";
      return isEarly ? ask(sendTo, signal) : sendTo(`/v${(await engine({ signal })).apiVersion}`);
    };
    try {
      return await withDeadline(`${host}: ${what}`, bounds, (signal) =>
        send(signal).catch((thrown) => Promise.reject(engineError(host, what, thrown))),
      );
    } catch (thrown) {
      request.archive?.destroy();
      throw thrown;
    }
  }

  /**
   * Asks while the version is still being negotiated, and so saves a round trip: a path without a
   * version means the engine's newest. Where that is newer than what we know, we ask again.
   */
  async function ask(
    sendTo: (prefix: string) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<unknown> {
    const early = sendTo("");
    early.catch(() => {});
    const { isNewest, apiVersion } = await engine({ signal });
    if (isNewest) return early;
    await early.catch(() => {});
    return sendTo(`/v${apiVersion}`);
  }

  function engine(options: CallOptions): Promise<NegotiatedEngine> {
    negotiated ??= negotiate(host, modem).then(
      (found) => {
        isNegotiated = true;
        return found;
      },
      (thrown) => {
        negotiated = undefined;
        throw thrown;
      },
    );
    const current = negotiated;
    return withDeadline(`${host}: reach Docker`, options, () => current);
  }

  return {
    host,
    engine,
    call: async (what, request) => {
      await dial(what, request, "body");
    },
    json: async (what, schema, request) =>
      parseAnswer({ host, what, schema, answer: await dial(what, request, "body") }),
    stream: async (what, request) => {
      const stream = (await dial(what, request, "stream")) as Readable;
      stream.once("close", () => request.archive?.destroy());
      return bindSignal(stream, request.signal);
    },
    hijack: async (what, request) =>
      bindSignal((await dial(what, request, "hijack")) as Duplex, request.signal),
    close: () => agent.destroy(),
  };
}

type Answer = "body" | "stream" | "hijack";

interface Dialled {
  readonly request: EngineRequest;
  readonly answer: Answer;
  readonly signal: AbortSignal;
}

type Dial = (prefix: string, dialled: Dialled) => Promise<unknown>;

/**
 * dockerode's transport layer. Its methods above that forward abort signals only here and there,
 * so every request goes through this one place instead.
 */
async function loadModem(agent: ForwardingAgent): Promise<Dial> {
  const { default: Dockerode } = await import("dockerode");
  const options = { protocol: "http" as const, host: "docker", port: 80, agent };
  const { modem } = new Dockerode(options);
  return async (prefix, { request, answer, signal }) => {
    const stream = await new Promise<Duplex>((resolve, reject) => {
      signal.throwIfAborted();
      const query = Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined);
      const dialOptions = {
        method: request.method ?? "GET",
        path: `${prefix}${request.path}${query.length > 0 ? "?" : ""}`,
        options: { _query: Object.fromEntries(query), _body: request.body ?? {} },
        file: request.archive,
        headers: request.headers && { ...request.headers },
        abortSignal: signal,
        // Also for short answers: the modem alone waits forever when a connection breaks in one.
        isStream: true,
        hijack: answer === "hijack",
        statusCodes: SUCCESS,
      };
      modem.dial(dialOptions, (error, result) =>
        error ? reject(error) : resolve(result as Duplex),
      );
    });
    return answer === "body" ? readBody(stream) : stream;
  };
}

async function readBody(stream: Readable): Promise<unknown> {
  const body = await text(stream);
  return body === "" ? undefined : JSON.parse(body);
}

/** 304: it is already as asked, started or stopped. */
const SUCCESS = { 101: true, 200: true, 201: true, 204: true, 304: true };

async function negotiate(host: string, modem: Promise<Dial>): Promise<NegotiatedEngine> {
  const what = "reach Docker";
  const bounds = { timeoutMs: DEFAULT_TIMEOUT_MS };
  const answer = await withDeadline(`${host}: ${what}`, bounds, async (signal) =>
    (await modem)("", { request: { path: "/version" }, answer: "body", signal }).catch((thrown) =>
      Promise.reject(engineError(host, what, thrown)),
    ),
  );
  const version = parseAnswer({ host, what, schema: VersionJson, answer });
  const apiVersion = commonApiVersion(version.ApiVersion, version.MinAPIVersion);
  if (apiVersion === undefined) {
    throw new AlError(
      `${host}: Docker ${version.Version} speaks API ${version.MinAPIVersion} to ${version.ApiVersion}, we speak ${OLDEST_API} to ${NEWEST_API}`,
      {
        code: "docker-version",
        blame: "user",
        hint: `Install Docker 20.10 or newer on ${host}, or update Action Llama if its Docker is newer than 29.`,
      },
    );
  }
  if (version.Arch !== "amd64" && version.Arch !== "arm64") {
    throw new AlError(`${host}: unsupported architecture ${version.Arch}`, {
      code: "docker-version",
      blame: "user",
      hint: "Use a host with an amd64 or arm64 processor.",
    });
  }
  const isNewest = apiVersion === version.ApiVersion;
  return { serverVersion: version.Version, apiVersion, architecture: version.Arch, isNewest };
}

/** The newest API version that both sides speak, or undefined. */
export function commonApiVersion(newest: string, oldest: string): string | undefined {
  const common = minorOf(newest) < minorOf(NEWEST_API) ? newest : NEWEST_API;
  if (minorOf(common) < minorOf(OLDEST_API) || minorOf(common) < minorOf(oldest)) return undefined;
  return common;
}

function minorOf(version: string): number {
  return Number(version.split(".")[1]);
}

function parseAnswer<T extends z.ZodType>(options: {
  host: string;
  what: string;
  schema: T;
  answer: unknown;
}): z.infer<T> {
  const parsed = options.schema.safeParse(options.answer);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AlError(
    `${options.host}: cannot ${options.what}: unexpected answer at ${issue?.path.join(".")}: ${issue?.message}`,
    { code: "docker-answer", blame: "bug", cause: parsed.error },
  );
}

function bindSignal<T extends Readable>(stream: T, signal: AbortSignal | undefined): T {
  // Whoever reads the stream sees its failure; one that nobody reads must not end the process.
  stream.on("error", () => {});
  if (signal) addAbortSignal(signal, stream);
  return stream;
}
