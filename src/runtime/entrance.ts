import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** Where the runtime is to be found. */
export interface Entrance {
  /** A connection to it; undefined when nobody came in time. */
  enter(): Promise<Socket | undefined>;
  /** Nobody waits any longer. */
  close(): void;
}

const LOOK_AGAIN_MS = 25;

/**
 * The socket at which the runtime listens, if one does. Nobody waits for longer than until `patienceMs`
 * after it was first missed, so that where there is none for good nobody waits at all. However many
 * wait, one of them looks.
 */
export function createEntrance(socketPath: string, patienceMs: number): Entrance {
  let missedAt: number | undefined = performance.now();
  let arrival: Promise<boolean> | undefined;
  let isClosed = false;
  const isInTime = () => !isClosed && performance.now() < (missedAt ?? Infinity) + patienceMs;
  const arrives = async () => {
    while (isInTime()) {
      await delay(LOOK_AGAIN_MS);
      const seen = await tryConnect(socketPath);
      seen?.destroy();
      if (seen) return true;
    }
    return false;
  };
  return {
    async enter() {
      for (;;) {
        const socket = await tryConnect(socketPath);
        if (socket) missedAt = undefined;
        else missedAt ??= performance.now();
        if (socket) return socket;
        arrival ??= arrives().finally(() => {
          arrival = undefined;
        });
        if (!(await arrival)) return undefined;
      }
    },
    close() {
      isClosed = true;
    },
  };
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true });
    const fail = () => resolve(undefined);
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.off("error", fail);
      resolve(socket);
    });
  });
}
