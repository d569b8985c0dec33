import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:http";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { z } from "zod";
import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { RuntimeReport } from "../core/observed.ts";
import type { DockerClient } from "../docker/docker-client.ts";

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
  /** The parsed JSON answer. @throws AlError with the API's own message and code. */
  call(request: ControlRequest): Promise<unknown>;
  /** The answer's body as it comes, for logs that are followed. */
  stream(request: ControlRequest): Promise<IncomingMessage>;
  close(): void;
}

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
  const send = (options: ControlRequest) => sendRequest(agentFor(options.runtime), options);
  const call = async (options: ControlRequest) => {
    const response = await send({ timeoutMs: 20_000, ...options });
    return readAnswer(docker.host, response);
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
    async stream(options) {
      const response = await send(options);
      if (response.statusCode === 200) return response;
      await readAnswer(docker.host, response);
      return response;
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

function sendRequest(agent: Agent, options: ControlRequest): Promise<IncomingMessage> {
  const { method, path, body, signal, timeoutMs } = options;
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers = bytes
    ? { "content-type": "application/json", "content-length": bytes.length }
    : {};
  const signals = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)];
  const ends = AbortSignal.any(signals.filter((one) => one !== undefined));
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { agent, method, path, headers, host: "runtime", signal: ends },
      resolve,
    );
    outgoing.on("error", reject);
    outgoing.end(bytes);
  });
}

async function readAnswer(host: string, response: IncomingMessage): Promise<unknown> {
  const body = await text(response);
  const status = response.statusCode ?? 0;
  const parsed = parseJson(body);
  if (status >= 200 && status < 300) return parsed;
  const answer = ErrorAnswer.safeParse(parsed);
  const { error, code, hint } = answer.data ?? { error: `status ${status}` };
  throw new AlError(`host ${host}: ${error}`, {
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
