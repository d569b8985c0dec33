import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { Agent, request } from "node:http";
import { Duplex, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { z } from "zod";
import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { RuntimeReport } from "../core/observed.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { runtimeAnswer } from "./runtime-answer.ts";

/** The program in the runtime's image that joins its stdio to the control socket. */
const PROXY = ["node", "/app/dist/runtime/control-proxy.js"];

/** A request to a runtime's control API. */
export interface ControlRequest extends CallOptions {
  /** Name of the runtime container. */
  readonly runtime: string;
  readonly method: "GET" | "POST";
  /** With its query: `/control/status`. */
  readonly path: string;
  readonly body?: unknown;
}

/**
 * The control API of runtimes on one host, spoken through Docker exec on the open connection:
 * no port, no file permission, the same for every kind of host.
 */
export interface RuntimeControl {
  /** What a runtime says of itself; undefined when it does not answer. `certain`: it looks at its rules first. */
  report(
    runtime: string,
    options?: { readonly signal?: AbortSignal | undefined; readonly certain?: boolean },
  ): Promise<RuntimeReport | undefined>;
  /** The parsed JSON answer. @throws AlError with the API's own message and code, or `no-answer` (transient). */
  call(request: ControlRequest): Promise<unknown>;
  /** As the global one; of the address only path and query count, and the body is text. */
  fetch(runtime: string, url: string, init?: RequestInit): Promise<Response>;
  close(): void;
}

const JSON_HEADERS = { "content-type": "application/json" };

const StatusAnswer = z.object({
  report: z.object({
    release: z.string(),
    credentials: z.string(),
    revision: z.string(),
    ready: z.boolean(),
    reason: z.string().optional(),
    activeRuns: z.number(),
    settled: z.boolean(),
    rules: z.enum(["in-place", "missing"]).optional(),
  }),
});

const ErrorAnswer = z.object({
  error: z.string(),
  code: z.string().optional(),
  hint: z.string().optional(),
});

/** Opens the way to the runtimes of a host; nothing is sent before the first call. */
export function openControl(docker: DockerClient): RuntimeControl {
  const agents = new Map<string, Agent>();
  const agentFor = (runtime: string) => {
    const agent = agents.get(runtime) ?? execAgent(docker, runtime);
    agents.set(runtime, agent);
    return agent;
  };
  const call = async ({ runtime, timeoutMs = 20_000, body, signal, ...rest }: ControlRequest) => {
    const sent = body !== undefined && { body: JSON.stringify(body), headers: JSON_HEADERS };
    const of = { host: docker.host, runtime, signal, timeoutMs };
    const { status, answer } = await runtimeAnswer(of, async (signal) => {
      const response = await send(agentFor(runtime), { ...rest, ...sent, signal });
      return { status: response.statusCode ?? 0, answer: parseJson(await text(response)) };
    });
    if (status >= 200 && status < 300) return answer;
    throw refusedBy(docker.host, status, answer);
  };
  return {
    call,
    async report(runtime, { signal, certain = false } = {}) {
      try {
        const path = certain ? "/control/status?rules=look" : "/control/status";
        const timeoutMs = certain ? 30_000 : 5000;
        const answer = await call({ runtime, method: "GET", path, signal, timeoutMs });
        const { reason, rules, ...rest } = StatusAnswer.parse(answer).report;
        return {
          ...rest,
          ...(reason === undefined ? {} : { reason }),
          ...(rules === undefined ? {} : { rules }),
        };
      } catch {
        signal?.throwIfAborted();
        return undefined;
      }
    },
    async fetch(runtime, url, { method = "GET", headers, body, signal } = {}) {
      const response = await send(agentFor(runtime), {
        ...{ method, path: url.replace(/^\w+:\/\/[^/]*/, "") },
        headers: Object.fromEntries(new Headers(headers)),
        ...(typeof body === "string" && { body }),
        ...(signal && { signal }),
      });
      const { statusCode: status = 0 } = response;
      return new Response(Readable.toWeb(response) as ReadableStream, {
        ...{ status, headers: response.headers as Record<string, string> },
      });
    },
    close: () => {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/** Every connection of this agent is one exec of the proxy, kept open between requests. */
function execAgent(docker: DockerClient, runtime: string): Agent {
  const agent = new Agent({ keepAlive: true });
  agent.createConnection = (_options, done) => {
    docker.exec(runtime, PROXY, { stdin: true }).then(
      ({ stdin, stdout, stderr }) => {
        stderr.resume();
        done?.(null, asSocket(Duplex.from({ writable: stdin, readable: stdout })));
      },
      (thrown: Error) => done?.(thrown, undefined as never),
    );
    return undefined;
  };
  return agent;
}

/** Node's HTTP client expects a few methods of net.Socket that have no meaning here. */
function asSocket(stream: Duplex): Duplex {
  const noop = () => stream;
  return Object.assign(stream, {
    setNoDelay: noop,
    setKeepAlive: noop,
    setTimeout: noop,
    ref: noop,
    unref: noop,
    destroySoon: () => stream.destroy(),
  });
}

function send(
  agent: Agent,
  options: {
    readonly method: string;
    readonly path: string;
    readonly headers?: OutgoingHttpHeaders;
    readonly body?: string;
    readonly signal?: AbortSignal;
  },
): Promise<IncomingMessage> {
  const { body, headers, ...rest } = options;
  const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { ...rest, agent, headers: { ...headers, ...length }, host: "runtime" },
      resolve,
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** The error that a runtime's answer with a status of 400 and above tells, with its own words and code. */
export function refusedBy(host: string, status: number, body: unknown): AlError {
  const answer = ErrorAnswer.safeParse(body);
  const { error, code, hint } = answer.data ?? { error: `status ${status}` };
  return new AlError(`host ${host}: ${error}`, {
    code: code ?? `control-${status}`,
    blame: status >= 500 ? "transient" : "user",
    ...(hint === undefined ? {} : { hint }),
  });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
