import { Agent, type AgentOptions } from "node:http";
import type { Duplex } from "node:stream";
import { inspect } from "node:util";

/** What Node's HTTP client calls on a socket and a plain stream lacks. */
type SocketMethod = (typeof SOCKET_METHODS)[number] | "destroySoon";

const SOCKET_METHODS = ["setNoDelay", "setKeepAlive", "setTimeout", "ref", "unref"] as const;

/** An HTTP agent over streams that `connect` opens; connections are kept and used again. */
export class ForwardingAgent extends Agent {
  readonly #connect: () => Promise<Duplex>;

  constructor(connect: () => Promise<Duplex>, options: AgentOptions = {}) {
    super({ keepAlive: true, maxFreeSockets: 16, ...options });
    this.#connect = connect;
  }

  /** docker-modem inspects its options, this agent and all its sockets, on every call: 30 ms of it. */
  [inspect.custom](): string {
    return "ForwardingAgent";
  }

  override createConnection(
    _options: unknown,
    done: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#connect().then(
      (stream) => done(null, withSocketMethods(stream)),
      (error) => done(error, undefined as never),
    );
  }
}

function withSocketMethods(stream: Duplex): Duplex {
  const socket = stream as Duplex & Partial<Record<SocketMethod, unknown>>;
  for (const method of SOCKET_METHODS) {
    if (typeof socket[method] !== "function") {
      Object.defineProperty(socket, method, { value: () => socket, configurable: true });
    }
  }
  if (typeof socket.destroySoon !== "function") {
    Object.defineProperty(socket, "destroySoon", { value: () => socket.end() });
  }
  return socket;
}
