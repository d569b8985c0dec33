import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";

/** What answers requests; an app of hono does. */
export interface Answering {
  fetch(request: Request, env?: object): Response | Promise<Response>;
}

/** An app that is being served. */
export interface Listening {
  /** Takes no more connections and cuts the open ones. Idempotent. */
  close(): Promise<void>;
}

/** How long a request may take to arrive as a whole. */
const REQUEST_MS = 60_000;

/** Serves an app on all addresses of the container. */
export async function listenOnPort(app: Answering, port: number): Promise<Listening> {
  const server = createServer(app);
  server.requestTimeout = REQUEST_MS;
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

/** Where the outside listener listens, and how long it waits for a request. */
export interface OutsideOptions {
  readonly port: number;
  /** Default: all addresses of the container. */
  readonly hostname?: string;
  /** How long all headers of a request may take. */
  readonly headersMs?: number;
  /** How long a request may take to arrive as a whole. */
  readonly requestMs?: number;
}

/** How many connections are open at a time; more are closed at once. */
const MAX_OUTSIDE_CONNECTIONS = 512;

/**
 * Serves an app to strangers: whoever sends slowly gets 408, whoever is idle is cut off. How long an
 * answer takes is not limited.
 */
export async function listenOutside(
  app: Answering,
  { port, hostname = "0.0.0.0", headersMs = 10_000, requestMs = 30_000 }: OutsideOptions,
): Promise<Listening & { readonly port: number }> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(1000, headersMs),
      keepAliveTimeout: 5000,
    },
  }) as Server;
  server.maxConnections = MAX_OUTSIDE_CONNECTIONS;
  server.listen(port, hostname);
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, ...listening(server) };
}

function createServer(app: Answering): Server {
  return createAdaptorServer({ fetch: app.fetch }) as Server;
}

function listening(server: Server): Listening {
  return {
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
