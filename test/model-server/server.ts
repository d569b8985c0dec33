import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type Protocol, protocolAt } from "./protocols.ts";
import {
  faultOf,
  fillTemplates,
  type ModelRequest,
  type ModelScript,
  type ScriptedTurn,
  selectTurn,
} from "./script.ts";

/** A request the server got. Never holds a key. */
export interface RecordedRequest extends ModelRequest {
  readonly protocol: Protocol["name"];
  /** Path and query. */
  readonly url: string;
  /** The header that brought the key. */
  readonly keyHeader: string | undefined;
  /** The rest of the body: thinking, limits, and what else a client sets. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** True when the expected key came with it, or any key where none is expected. */
  readonly keySent: boolean;
  /** The status it was answered with. */
  readonly status: number;
}

/** How to start a model server. */
export interface ModelServerOptions {
  readonly host?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly script: ModelScript;
  /** Other keys are answered with 401. */
  readonly expectedKey?: string;
}

/** A running model server. */
export interface ModelServer {
  /** `http://host:port`: Anthropic's and Mistral's base URL; others have `/v1` or `/v1beta` after it. */
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  /** From now on answers come from this script. */
  use(script: ModelScript): void;
  /** From now on only this key is accepted. */
  expectKey(key: string): void;
  close(): Promise<void>;
}

interface State {
  script: ModelScript;
  readonly requests: RecordedRequest[];
  /** Attempts at one and the same request; only faults depend on them. */
  readonly attempts: Map<string, number>;
  expectedKey: string | undefined;
}

/**
 * A model provider's API with scripted answers, in the streaming protocols of Anthropic, OpenAI
 * (Chat Completions, as most others speak it, and Responses) and Google.
 * The turn follows from the request alone, so conversations may run in parallel.
 */
export async function startModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const { host = "127.0.0.1", port = 0, script, expectedKey } = options;
  const state: State = { script, requests: [], attempts: new Map(), expectedKey };
  const server = createServer((request, response) => {
    handle(state, request, response).catch((thrown) => response.destroy(thrown));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    requests: state.requests,
    use: (next) => {
      state.script = next;
    },
    expectKey: (key) => {
      state.expectedKey = key;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(state: State, request: IncomingMessage, response: ServerResponse) {
  const path = new URL(request.url ?? "/", "http://model").pathname;
  if (request.method === "GET" && path === "/health") return send(response, 200, "{}");
  if (request.method === "GET" && path === "/requests") {
    return send(response, 200, JSON.stringify(state.requests));
  }
  const protocol = protocolAt(path);
  if (request.method !== "POST" || !protocol) return send(response, 404, "{}");
  const body = JSON.parse(Buffer.concat(await request.toArray()).toString("utf8"));
  const asked = protocol.read(body, path);
  const keyHeader = protocol.keyHeaders.find((name) => request.headers[name] !== undefined);
  const keySent = hasKey(request.headers[keyHeader ?? ""], state.expectedKey);
  const facts = { protocol: protocol.name, url: request.url ?? "", keyHeader, keySent };
  const record = (status: number) =>
    state.requests.push({ ...asked, ...facts, parameters: parametersOf(body), status });
  const refuse = (status: number, text: string) => {
    record(status);
    send(response, status, protocol.error(status, text));
  };
  if (!keySent) return refuse(401, "invalid x-api-key");
  if (!protocol.streams(body)) return refuse(400, "this server only streams");
  const turn = selectTurn(state.script, asked);
  if ("problem" in turn) return refuse(400, turn.problem);
  const fault = faultOf(turn, attemptOf(state, body));
  if (turn.delayMs !== undefined) await delay(turn.delayMs);
  if (fault?.kind === "status") {
    record(fault.status);
    const body = fault.body ?? protocol.error(fault.status, `scripted ${fault.status}`);
    return send(response, fault.status, body);
  }
  record(200);
  await stream(response, protocol, { asked, turn: fillTemplates(turn, asked), fault: fault?.kind });
}

async function stream(
  response: ServerResponse,
  protocol: Protocol,
  answer: {
    asked: ModelRequest;
    turn: ScriptedTurn;
    fault: "cut" | "malformed" | undefined;
  },
) {
  const events = protocol.events(answer.turn, answer.asked);
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  const middle = Math.floor(events.length / 2);
  for (const [index, event] of events.entries()) {
    if (index === middle && answer.fault === "cut") {
      response.destroy();
      return;
    }
    if (index === middle && answer.fault === "malformed") {
      response.write(protocol.malformed);
    }
    response.write(event);
    // Gives every event a packet of its own.
    await new Promise(setImmediate);
  }
  response.end();
}

function hasKey(header: string | string[] | undefined, expected: string | undefined): boolean {
  const key = String(header ?? "").replace(/^Bearer /, "");
  return expected === undefined ? key !== "" : key === expected;
}

const CONVERSATION = ["messages", "input", "contents", "system", "systemInstruction", "tools"];

function parametersOf(body: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !CONVERSATION.includes(name)));
}

function attemptOf(state: State, body: Record<string, unknown>): number {
  const same = JSON.stringify(CONVERSATION.map((name) => body[name]));
  const key = createHash("sha256").update(same).digest("hex");
  const attempt = state.attempts.get(key) ?? 0;
  state.attempts.set(key, attempt + 1);
  return attempt;
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "application/json" }).end(body);
}
