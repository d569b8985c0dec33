import { once } from "node:events";
import { rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createEntrance, type Entrance } from "./entrance.ts";

/** Where a door stands, and how long it waits. */
export interface DoorOptions {
  /** A port of an address, or a unix socket: what lies there already is replaced. */
  readonly place: { readonly port: number; readonly host: string } | { readonly path: string };
  /** The runtime's socket. */
  readonly socketPath: string;
  /** For how long senders are held after the runtime was first missed. Default 8000: GitHub waits 10 s. */
  readonly patienceMs?: number;
  /** How long a connection that has its answer may take to end. Default 2000. */
  readonly lingerMs?: number;
  /** How many connections are passed on or held at a time; more get 503 at once. Default 512. */
  readonly maxConnections?: number;
}

/** A door that is open. */
export interface Door {
  /** 0 at a unix socket. */
  readonly port: number;
  /** Takes no more connections, answers those it holds, and ends what is left after `lingerMs`. Idempotent. */
  close(): Promise<void>;
}

const RETRY_AFTER_SECONDS = 5;

const BODY = `${JSON.stringify({
  error: "the runtime of this project does not answer at the moment",
  code: "not-serving",
  hint: "Send it again. What became of the runtime: al status",
})}\n`;

const REFUSAL = [
  "HTTP/1.1 503 Service Unavailable",
  `Retry-After: ${RETRY_AFTER_SECONDS}`,
  "Content-Type: application/json",
  `Content-Length: ${Buffer.byteLength(BODY)}`,
  "Connection: close",
  `\r\n${BODY}`,
].join("\r\n");

/**
 * Passes TCP connections on to the runtime's socket, bytes unseen. A connection for which nobody is at the
 * socket is held until somebody is; what cannot be passed on, or ends without a byte of an answer, is
 * answered with 503. It takes it that the runtime serves one request on a connection.
 */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const { place, socketPath, patienceMs = 8000 } = options;
  const { lingerMs = 2000, maxConnections = 512 } = options;
  const entrance = createEntrance(socketPath, patienceMs);
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    open.add(client);
    client.on("error", () => client.destroy());
    client.on("close", () => open.delete(client));
    if (open.size > maxConnections) refuse(client, lingerMs);
    else void passOn(client, entrance, lingerMs);
  });
  // Who is refused has a connection too, for a moment.
  server.maxConnections = 2 * maxConnections;
  if ("path" in place) await rm(place.path, { force: true });
  server.listen(place);
  await once(server, "listening");
  const address = server.address() as AddressInfo | string;
  return {
    port: typeof address === "string" ? 0 : address.port,
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      entrance.close();
      const timer = setTimeout(() => {
        for (const client of open) client.destroy();
      }, lingerMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

async function passOn(client: Socket, entrance: Entrance, lingerMs: number): Promise<void> {
  const runtime = await entrance.enter();
  if (!runtime) return refuse(client, lingerMs);
  if (client.destroyed) return void runtime.destroy();
  client.on("close", () => runtime.destroy());
  runtime.on("error", () => runtime.destroy());
  runtime.on("close", () => {
    client.unpipe(runtime);
    if (runtime.bytesRead === 0) refuse(client, lingerMs);
    else endSoon(client, lingerMs);
  });
  // It has said all it will say; nobody reads what else is sent to it.
  runtime.on("end", () => runtime.destroy());
  runtime.pipe(client, { end: false });
  client.pipe(runtime);
}

function refuse(client: Socket, lingerMs: number): void {
  if (client.writable) client.write(REFUSAL);
  endSoon(client, lingerMs);
}

/** Reads on for a while: a sender whose bytes nobody reads would be cut off before it has its answer. */
function endSoon(client: Socket, lingerMs: number): void {
  if (client.destroyed) return;
  client.resume();
  client.end(() => {
    const timer = setTimeout(() => client.destroy(), lingerMs);
    client.on("end", () => client.destroy()).on("close", () => clearTimeout(timer));
  });
}
