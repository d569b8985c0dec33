import { once } from "node:events";
import { constants } from "node:fs";
import { chmod, mkdir, open, rename, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { join } from "node:path";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { createAdaptorServer } from "@hono/node-server";
import { OUTSIDE_SOCKET } from "../core/names.ts";

/** What answers requests; an app of hono does. */
export interface Answering {
  fetch(request: Request, env?: object): Response | Promise<Response>;
}

/** An app that is being served. */
export interface Listening {
  /** Takes no more connections and ends the open ones. Idempotent. */
  close(): Promise<void>;
}

/** Serves an app on all addresses of the container: what does not arrive as a whole in `requestMs` gets 408. */
export async function listenOnPort(
  app: Answering,
  port: number,
  { headersMs = 10_000, requestMs = 60_000 } = {},
): Promise<Listening> {
  const server = createServer(app, { headersMs, requestMs });
  server.listen(port, "0.0.0.0");
  await once(server, "listening");
  return listening(server);
}

/** Serves an app on a unix socket that only this user may open; replaces a stale one. */
export async function listenOnSocket(app: Answering, path: string): Promise<Listening> {
  await rm(path, { force: true });
  const server = createServer(app);
  // A proxy's connection is kept between requests.
  server.keepAliveTimeout = 0;
  server.listen(path);
  await once(server, "listening");
  await chmod(path, 0o600);
  return listening(server);
}

/** How long the outside listener waits for requests. */
export interface OutsideOptions {
  /** How long all headers of a request may take. */
  readonly headersMs?: number;
  /** How long a request may take to arrive as a whole. */
  readonly requestMs?: number;
  /** How long requests that are under way may take when it closes. */
  readonly finishMs?: number;
}

/** How many connections are open at a time; more are closed at once. */
const MAX_OUTSIDE_CONNECTIONS = 512;

/**
 * Serves an app to strangers, who come through the door: on a unix socket that only this user may open and
 * that takes its place all at once, whatever an earlier runtime left there. Whoever sends slowly gets 408,
 * whoever is idle is cut off; how long an answer takes is not limited. One request to a connection: a sender
 * never has one that ends just as it sends the next. Closing lets go of the place first, then finishes what
 * has arrived.
 */
export async function listenAtDoor(
  app: Answering,
  { directory, ...options }: OutsideOptions & { readonly directory: string },
): Promise<Listening> {
  const place = join(directory, OUTSIDE_SOCKET);
  const next = `${place}.next`;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await rm(next, { force: true });
  const server = outsideServer(app, options);
  // A socket's path may have 107 bytes, which a long home directory uses up; its directory's number has a few.
  const opened = await open(directory, constants.O_DIRECTORY);
  try {
    server.listen(`/proc/self/fd/${opened.fd}/${OUTSIDE_SOCKET}.next`);
    await once(server, "listening");
    await chmod(next, 0o600);
    await rename(next, place);
  } catch (thrown) {
    server.close();
    await opened.close();
    throw thrown;
  }
  return {
    async close() {
      if (!server.listening) return;
      await rm(place, { force: true });
      // Who has connected already is let in: at the latest by the next look for connections.
      await delay(LET_IN_MS);
      await nextTurn();
      await finish(server, options);
      await opened.close();
    },
  };
}

const LET_IN_MS = 30;

function outsideServer(
  app: Answering,
  { headersMs = 10_000, requestMs = 30_000 }: OutsideOptions,
): Server {
  const server = createServer(app, { headersMs, requestMs });
  server.maxConnections = MAX_OUTSIDE_CONNECTIONS;
  server.maxRequestsPerSocket = 1;
  return server;
}

/** What does not arrive in time gets 408. */
function createServer(app: Answering, { headersMs, requestMs }: Patience = NODES_OWN): Server {
  return createAdaptorServer({
    fetch: app.fetch,
    serverOptions: {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(1000, headersMs),
    },
  }) as Server;
}

type Patience = Required<Pick<OutsideOptions, "headersMs" | "requestMs">>;
const NODES_OWN: Patience = { headersMs: 60_000, requestMs: 300_000 };

function listening(server: Server): Listening {
  return { close: () => finish(server, { finishMs: 0 }) };
}

async function finish(server: Server, { finishMs = 2000 }: OutsideOptions): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  const timer = setTimeout(() => server.closeAllConnections(), finishMs);
  await closed;
  clearTimeout(timer);
}
