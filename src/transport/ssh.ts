import { execThrough } from "./collect.ts";
import { type KeepAlive, watchLiveness } from "./liveness.ts";
import { createSessionLimit } from "./session-limit.ts";
import { openClient, type SshClient, type SshLogin } from "./ssh-connect.ts";
import { openForward } from "./ssh-forward.ts";
import { endSession, endSessions } from "./ssh-kill.ts";
import { connectionLost, type SshLink, whenAborted } from "./ssh-link.ts";
import { openSession, type SshSession } from "./ssh-session.ts";
import type { Transport } from "./transport.ts";

/** Options of {@link connectSsh}. */
export interface SshOptions extends SshLogin {
  /** For dialling, handshake and authentication together. Default 15 000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Default 4 intervals of 10 seconds: a dead peer is noticed after 40 to 45 s. */
  readonly keepAlive?: KeepAlive | undefined;
  /** Commands at a time; more wait their turn. Default 8, as sshd allows 10 and ending one takes one. */
  readonly sessionLimit?: number | undefined;
  /** Aborts connecting; an open connection is ended by `close`. */
  readonly signal?: AbortSignal | undefined;
}

const CLOSE_MS = 1000;

/**
 * Connects to a host over SSH, its host key checked against the pin.
 * @throws AlError `unreachable`, `host-key-unknown`, `host-key-mismatch`, `auth-failed`, `handshake-failed`.
 */
export async function connectSsh(options: SshOptions): Promise<Transport> {
  const {
    connectTimeoutMs = 15_000,
    keepAlive = { intervalMs: 10_000, count: 4 },
    sessionLimit = 8,
    signal,
  } = options;
  const connected = await openClient(options, {
    connectTimeoutMs,
    keepAliveIntervalMs: keepAlive.intervalMs,
    signal,
  });
  const ending = new AbortController();
  const gone = new AbortController();
  connected.socket.once("close", () => gone.abort());
  const link: SshLink = {
    host: options.host,
    client: connected.client,
    sessions: createSessionLimit(sessionLimit),
    killSessions: createSessionLimit(1),
    ended: ending.signal,
    gone: gone.signal,
  };
  const connection: Connection = { ...connected, link, ending, active: new Set() };
  const lost = new Promise<Error>((resolve) => watch(connection, keepAlive, resolve));
  return transportOver(connection, lost);
}

interface Connection extends SshClient {
  readonly link: SshLink;
  readonly ending: AbortController;
  readonly active: Set<SshSession>;
}

function watch(connection: Connection, keepAlive: KeepAlive, onLost: (reason: Error) => void) {
  const { client, socket, link, ending } = connection;
  const lose = (reason: string, cause?: unknown) => {
    socket.destroy();
    if (ending.signal.aborted) return;
    const error = connectionLost(link.host, reason, cause);
    ending.abort(error);
    onLost(error);
  };
  client.on("error", (error) => lose(error.message, error));
  client.once("end", () => lose("the host closed it"));
  // Before ssh2's own clean-up, which ends every stream as if nothing had happened.
  client.once("close", () => lose("the host closed it"));
  watchLiveness(socket, keepAlive, () => {
    lose(`no sign of life for ${(keepAlive.intervalMs * keepAlive.count) / 1000} s`);
  });
}

function transportOver(connection: Connection, lost: Promise<Error>): Transport {
  const { link, active } = connection;
  const hooks = {
    onOpen(session: SshSession) {
      active.add(session);
      session.closed.addEventListener("abort", () => active.delete(session), { once: true });
    },
    onKill: (session: SshSession) => void endSession(link, session),
  };
  const spawn: Transport["spawn"] = (argv, options) =>
    openSession(link, argv, { ...options, ...hooks });
  let closed: Promise<void> | undefined;
  return {
    host: link.host,
    lost,
    spawn,
    exec: (argv, options) => execThrough(spawn, argv, options),
    forwardUnix: (path, options) => openForward(link, path, options),
    close() {
      closed ??= close(connection);
      return closed;
    },
  };
}

async function close({ client, socket, link, ending, active }: Connection): Promise<void> {
  ending.abort(connectionLost(link.host, "it was closed"));
  const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
  const gone = new Promise<void>((resolve) => whenAborted(link.gone, resolve));
  await Promise.race([endSessions(link, [...active]), gone]);
  client.end();
  // Once our goodbye is on its way; waiting for the host's would cost every pass a round trip.
  socket.destroySoon();
  await gone;
  clearTimeout(timer);
}
