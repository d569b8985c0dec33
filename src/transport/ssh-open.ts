import { setTimeout as delay } from "node:timers/promises";
import type { ClientChannel } from "ssh2";
import { AlError } from "../base/errors.ts";
import { connectionLost, type SshLink } from "./ssh-link.ts";

interface OpenExec<T> {
  readonly command: string;
  readonly signal: AbortSignal;
  /** Runs inside ssh2's callback: listeners attached after an await miss exits. */
  readonly attach: (channel: ClientChannel) => T;
}

const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 640;
const CONNECT_FAILED = 2;

/**
 * Opens a session channel and runs a command in it.
 *
 * sshd counts a session until it has handled our answer to its close, so a new one that arrives in the
 * same read can be one too many however few are in use; and an sshd may allow fewer than 10. Both are
 * tried again, for about five seconds without the caller's abort.
 */
export async function openExec<T>(link: SshLink, task: OpenExec<T>): Promise<T> {
  for (let waitMs = FIRST_RETRY_MS; ; waitMs *= 1.5) {
    const opened = await tryOpen(link, task);
    if (opened.kind === "opened") return opened.result;
    if (task.signal.aborted) throw task.signal.reason;
    if (waitMs > LAST_RETRY_MS) throw sessionRefused(link.host, opened.cause);
    await delay(waitMs);
    if (task.signal.aborted) throw task.signal.reason;
  }
}

type Opened<T> =
  | { readonly kind: "opened"; readonly result: T }
  | { readonly kind: "refused"; readonly cause: Error };

function tryOpen<T>(link: SshLink, { command, attach }: OpenExec<T>): Promise<Opened<T>> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error & { reason?: unknown }) => {
      if (link.gone.aborted) reject(link.ended.reason);
      else if (error.reason === CONNECT_FAILED) resolve({ kind: "refused", cause: error });
      else reject(connectionLost(link.host, error.message, error));
    };
    try {
      link.client.exec(command, (error, channel) => {
        if (error) fail(error);
        else resolve({ kind: "opened", result: attach(channel) });
      });
    } catch (thrown) {
      fail(thrown as Error);
    }
  });
}

function sessionRefused(host: string, cause: Error): AlError {
  return new AlError(`host ${host}: sshd opens no further session`, {
    code: "session-refused",
    blame: "transient",
    hint: "Check MaxSessions in the host's sshd_config; 10 is the default and what we expect.",
    cause,
  });
}
