import type { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";
import { type CallOptions, withDeadline } from "../base/deadline.ts";
import { forwardingRefused, socketUnavailable } from "./socket-errors.ts";
import { connectionLost, type SshLink, whenAborted } from "./ssh-link.ts";
import { channelDuplex } from "./streams.ts";

const ADMINISTRATIVELY_PROHIBITED = 1;

/**
 * Opens a channel to a unix socket on the host. Not counted as a session (100 at a time were seen to work).
 * sshd does not say why a connection failed: a missing socket and a forbidden one look the same.
 */
export async function openForward(
  link: SshLink,
  path: string,
  options: CallOptions = {},
): Promise<Duplex> {
  return withDeadline(
    `open ${path} on ${link.host}`,
    { timeoutMs: 30_000, ...options },
    async (signal) => {
      const channel = await open(link, path);
      channel.on("error", () => {});
      if (signal.aborted) channel.close();
      return tied(link, channel);
    },
  );
}

function open(link: SshLink, path: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error & { reason?: unknown }) => {
      if (link.ended.aborted) reject(link.ended.reason);
      else if (error.reason === ADMINISTRATIVELY_PROHIBITED)
        reject(forwardingRefused(link.host, error));
      else if (error.reason === undefined) reject(connectionLost(link.host, error.message, error));
      else reject(socketUnavailable(link.host, path, error));
    };
    if (link.ended.aborted) return reject(link.ended.reason);
    try {
      link.client.openssh_forwardOutStreamLocal(path, (error, channel) => {
        if (error) refuse(error);
        else resolve(channel);
      });
    } catch (thrown) {
      refuse(thrown as Error);
    }
  });
}

/** The channel as a stream that fails, and does not merely end, when the connection is lost. */
function tied(link: SshLink, channel: ClientChannel): Duplex {
  const duplex = channelDuplex(channel);
  const untie = whenAborted(link.ended, () => void duplex.destroy(link.ended.reason as Error));
  duplex.once("close", untie);
  return duplex;
}
