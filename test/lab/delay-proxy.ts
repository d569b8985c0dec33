import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { performance } from "node:perf_hooks";

/** Where a delay proxy leads, and how far away it seems. */
export interface DelayProxyOptions {
  readonly target: { readonly address: string; readonly port: number };
  /** One way, in each direction: a round trip takes twice as long. */
  readonly delayMs: number;
}

/** Bytes passed on since the proxy started: `up` towards the target, `down` from it. */
export interface ByteCount {
  readonly up: number;
  readonly down: number;
}

/** A running delay proxy. */
export interface DelayProxy {
  /** On 127.0.0.1. */
  readonly port: number;
  bytes(): ByteCount;
  /** Connections accepted so far. */
  connections(): number;
  /** Ends the proxy and every connection through it. */
  close(): Promise<void>;
}

/**
 * Starts a TCP proxy on loopback that adds a fixed delay each way, for counting round trips.
 * The delay is latency alone: bandwidth is unlimited, order is kept, a burst waits once.
 */
export async function startDelayProxy(options: DelayProxyOptions): Promise<DelayProxy> {
  const sockets = new Set<Socket>();
  const count = { up: 0, down: 0, connections: 0 };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    count.connections += 1;
    const { address: host, port } = options.target;
    const far = connect({ host, port, allowHalfOpen: true, noDelay: true });
    for (const socket of [near, far]) track(socket, sockets);
    const addUp = (bytes: number) => {
      count.up += bytes;
    };
    const addDown = (bytes: number) => {
      count.down += bytes;
    };
    delayed(near, far, options.delayMs, addUp);
    delayed(far, near, options.delayMs, addDown);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => ({ up: count.up, down: count.down }),
    connections: () => count.connections,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function track(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
}

/** More than this in flight stops the sender: beyond any receive window that matters here. */
const maxInFlightBytes = 64 * 1024 * 1024;

/** Passes everything on from one socket to the other, each piece when its own time has come. */
function delayed(from: Socket, to: Socket, delayMs: number, add: (bytes: number) => void): void {
  const queue: { readonly due: number; readonly deliver: () => number }[] = [];
  let inFlight = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    timer = undefined;
    const now = performance.now();
    while (queue[0] && queue[0].due <= now) inFlight -= queue.shift()?.deliver() ?? 0;
    if (inFlight < maxInFlightBytes) from.resume();
    const next = queue[0];
    if (next) timer = setTimeout(flush, next.due - now);
  };
  const later = (deliver: () => number) => {
    queue.push({ due: performance.now() + delayMs, deliver });
    if (timer === undefined) timer = setTimeout(flush, delayMs);
  };
  from.on("data", (chunk: Buffer) => {
    add(chunk.length);
    inFlight += chunk.length;
    if (inFlight >= maxInFlightBytes) from.pause();
    later(() => {
      to.write(chunk);
      return chunk.length;
    });
  });
  from.once("end", () =>
    later(() => {
      to.end();
      return 0;
    }),
  );
  from.once("error", () => to.destroy());
  from.once("close", () => {
    if (from.errored) to.destroy();
  });
}
