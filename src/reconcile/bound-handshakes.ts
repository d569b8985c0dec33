import { boundedRunner } from "../base/concurrency.ts";
import type { HostSession, HostsPort } from "./ports.ts";

/** Connections being made at a time: a burst of handshakes is what sshd and small routers refuse. */
const MAX_HANDSHAKES = 4;

/** A HostsPort whose sessions may be more than a pass needs. */
export interface HostsOf<Session extends HostSession> extends HostsPort {
  connect(
    address: Parameters<HostsPort["connect"]>[0],
    options: Parameters<HostsPort["connect"]>[1],
  ): Promise<Session>;
}

/**
 * A HostsPort that makes at most `limit` connections at a time, however many hosts are in flight.
 * One that is made no longer counts; a wait that is aborted ends without an attempt.
 */
export function boundHandshakes<Session extends HostSession>(
  hosts: HostsOf<Session>,
  limit: number = MAX_HANDSHAKES,
): HostsOf<Session> {
  const bounded = boundedRunner(limit);
  return {
    readHostKey: (address, options) =>
      bounded(async () => {
        options?.signal?.throwIfAborted();
        return hosts.readHostKey(address, options);
      }),
    connect: (address, options) =>
      bounded(async () => {
        options.signal?.throwIfAborted();
        return hosts.connect(address, options);
      }),
  };
}
