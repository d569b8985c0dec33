import type { Socket } from "node:net";

/** When a silent peer counts as dead. */
export interface KeepAlive {
  /** How often the peer is asked for a sign of life. */
  readonly intervalMs: number;
  /** How many intervals without a single byte from it are too many. */
  readonly count: number;
}

const TICKS_PER_INTERVAL = 4;

/**
 * Calls `onDead` when nothing at all was received for `count` intervals.
 * Any byte is a sign of life, so a slow upload that delays the answers to keep-alives is not taken
 * for a dead peer; and ticks are counted, not time, so neither is the sleep of a laptop.
 */
export function watchLiveness(socket: Socket, keepAlive: KeepAlive, onDead: () => void): void {
  let seen = socket.bytesRead;
  let silentTicks = 0;
  const timer = setInterval(() => {
    silentTicks = socket.bytesRead === seen ? silentTicks + 1 : 0;
    seen = socket.bytesRead;
    if (silentTicks < keepAlive.count * TICKS_PER_INTERVAL) return;
    clearInterval(timer);
    onDead();
  }, keepAlive.intervalMs / TICKS_PER_INTERVAL);
  socket.once("close", () => clearInterval(timer));
}
