import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type CallOptions, raceAbort, withDeadline } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import { execThrough } from "./collect.ts";
import { startProcess } from "./local-process.ts";
import { socketUnavailable } from "./socket-errors.ts";
import { guarded } from "./streams.ts";
import type { ExecProcess, Transport } from "./transport.ts";

/** Options of {@link openLocal}. */
export interface LocalOptions {
  /** The host's name in the fleet. */
  readonly host: string;
  /**
   * The whole environment of every command; nothing else is inherited, so no credential leaks in.
   * PATH has a usual default. Commands start in HOME, or in `/` when it is not given.
   */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The machine we run on, behind the same port as a remote one: no shell, no sshd. */
export function openLocal({ host, env = {} }: LocalOptions): Transport {
  const active = new Set<ExecProcess>();
  const sockets = new Set<Socket>();
  const childEnv = { PATH: DEFAULT_PATH, ...env };
  const ending = new AbortController();
  const spawn: Transport["spawn"] = async (argv, { signal } = {}) => {
    ending.signal.throwIfAborted();
    signal?.throwIfAborted();
    const running = await startProcess(argv, { host, env: childEnv, signal });
    active.add(running);
    void running.exited.then(() => active.delete(running));
    const exited = raceAbort(running.exited, ending.signal);
    exited.catch((reason: Error) => {
      for (const stream of [running.stdout, running.stderr]) stream.destroy(reason);
    });
    return { ...running, exited };
  };
  return {
    host,
    lost: new Promise(() => {}),
    spawn,
    exec: (argv, options) => execThrough(spawn, argv, options),
    async forwardUnix(path, options) {
      ending.signal.throwIfAborted();
      const socket = await openSocket(host, path, options);
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      return socket;
    },
    async close() {
      ending.abort(closedError(host));
      for (const socket of sockets) socket.destroy(ending.signal.reason as Error);
      for (const running of active) running.kill();
      await Promise.allSettled([...active].map(({ exited }) => exited));
    },
  };
}

function closedError(host: string): AlError {
  return new AlError(`the connection to host ${host} ended: it was closed`, {
    code: "connection-lost",
    blame: "transient",
  });
}

function openSocket(host: string, path: string, options: CallOptions = {}): Promise<Socket> {
  return withDeadline(
    `open ${path} on ${host}`,
    { timeoutMs: 30_000, ...options },
    (signal) =>
      new Promise((resolve, reject) => {
        const socket = guarded<Duplex>(connect({ path })) as Socket;
        socket.once("connect", () => resolve(socket));
        socket.once("error", (error) => reject(socketUnavailable(host, path, error)));
        signal.addEventListener("abort", () => socket.destroy(), { once: true });
      }),
  );
}
