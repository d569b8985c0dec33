import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";

/** An app that is being served. */
export interface Listening {
  /** Takes no more connections and cuts the open ones. Idempotent. */
  close(): Promise<void>;
}

/** How long a request may take to arrive as a whole. */
const REQUEST_MS = 60_000;

/** Serves an app on all addresses of the container. */
export async function listenOnPort(app: Hono, port: number): Promise<Listening> {
  const server = createServer(app);
  server.requestTimeout = REQUEST_MS;
  server.listen(port, "0.0.0.0");
  await once(server, "listening");
  return listening(server);
}

/** Serves an app on a unix socket that only this user may open; replaces a stale one. */
export async function listenOnSocket(app: Hono, path: string): Promise<Listening> {
  await rm(path, { force: true });
  const server = createServer(app);
  // A proxy's connection is kept between requests.
  server.keepAliveTimeout = 0;
  server.listen(path);
  await once(server, "listening");
  await chmod(path, 0o600);
  return listening(server);
}

function createServer(app: Hono): Server {
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
