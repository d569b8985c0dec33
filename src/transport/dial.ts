import { isIPv6, connect as netConnect, type Socket } from "node:net";
import { AlError, errnoOf } from "../base/errors.ts";

/** Where a host's sshd listens. */
export interface Endpoint {
  /** The host's name in the fleet, for messages. */
  readonly host: string;
  /** IP address or DNS name. */
  readonly address: string;
  readonly port: number;
}

/**
 * Opens a TCP connection without Nagle's delay (44 ms a command with it, 3 ms without).
 * @throws AlError `unreachable` (transient) naming host, address and port.
 */
export function dial(endpoint: Endpoint, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = netConnect({ host: endpoint.address, port: endpoint.port, noDelay: true });
    const onAbort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    const onError = (error: Error) => {
      signal.removeEventListener("abort", onAbort);
      reject(unreachable(endpoint, errnoOf(error) ?? error.message, error));
    };
    socket.once("error", onError);
    socket.once("connect", () => {
      signal.removeEventListener("abort", onAbort);
      socket.removeListener("error", onError);
      resolve(socket);
    });
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** The error for a machine that does not answer; `reason` is a system error code or a short phrase. */
export function unreachable(endpoint: Endpoint, reason: string, cause?: unknown): AlError {
  return new AlError(
    `cannot reach host ${endpoint.host} at ${formatEndpoint(endpoint)}: ${reason}`,
    {
      code: "unreachable",
      blame: "transient",
      hint: HINTS[reason] ?? "Check that the machine is up and that sshd answers there.",
      cause,
    },
  );
}

/** `203.0.113.7:22`, `[2001:db8::1]:22`. */
export function formatEndpoint(endpoint: { address: string; port: number }): string {
  const { address, port } = endpoint;
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "The machine answers, but nothing listens on that port: check sshd and the port.",
  ENOTFOUND: "The name does not resolve: check the address in fleet.toml.",
};
