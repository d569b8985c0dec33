import type { Socket } from "node:net";
import { Client } from "ssh2";
import { type CallOptions, withDeadline } from "../base/deadline.ts";
import { dial, type Endpoint, unreachable } from "./dial.ts";
import { HOST_KEY_ALGORITHMS, type HostKey, parseHostKey } from "./host-key.ts";

/**
 * The host key that a machine presents, to be shown to the operator: nothing is authenticated or sent,
 * the handshake is refused as soon as the key is seen. It proves nothing until the operator has compared it.
 * `timeoutMs` is 15 seconds unless told.
 *
 * @throws AlError `unreachable` (transient).
 */
export async function readHostKey(endpoint: Endpoint, options: CallOptions = {}): Promise<HostKey> {
  return withDeadline(
    `read the host key of ${endpoint.host}`,
    { timeoutMs: 15_000, ...options },
    async (signal) => {
      const socket = await dial(endpoint, signal);
      try {
        return await offeredKey(endpoint, socket, signal);
      } finally {
        socket.destroy();
      }
    },
  );
}

function offeredKey(endpoint: Endpoint, socket: Socket, signal: AbortSignal): Promise<HostKey> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.on("error", (error) => reject(unreachable(endpoint, error.message, error)));
    client.once("close", () => reject(unreachable(endpoint, "the connection was closed")));
    signal.addEventListener("abort", () => socket.destroy(), { once: true });
    client.connect({
      sock: socket,
      username: "none",
      readyTimeout: 0,
      authHandler: [],
      algorithms: { serverHostKey: HOST_KEY_ALGORITHMS },
      hostVerifier: (wire: Buffer) => {
        resolve(parseHostKey(wire));
        return false;
      },
    });
  });
}
