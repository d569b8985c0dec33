import { randomUUID } from "node:crypto";
import type { ClientChannel } from "ssh2";
import { type CallOptions, withDeadline } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import { checkArgv, quoteArgv } from "./quote.ts";
import { connectionLost, type SshLink, whenAborted } from "./ssh-link.ts";
import { openExec } from "./ssh-open.ts";
import { bufferedReadable, channelWritable } from "./streams.ts";
import type { ExecProcess } from "./transport.ts";

/** A command on the far side, as the connection keeps track of it. */
export interface SshSession {
  /** Stands in the environment of the command and its children, so that they can be found. */
  readonly id: string;
  readonly channel: ClientChannel;
  /** Fires when the channel has closed or the connection has ended. */
  readonly closed: AbortSignal;
}

/** Name of the variable that holds {@link SshSession.id}. */
export const SESSION_VARIABLE = "AL_SESSION";

interface SessionOptions extends CallOptions {
  readonly onOpen: (session: SshSession) => void;
  /** Ends the session's command; called at most once. */
  readonly onKill: (session: SshSession) => void;
}

/** Opens a session channel, waiting for a free place, and runs the command in it. */
export async function openSession(
  link: SshLink,
  argv: readonly string[],
  options: SessionOptions,
): Promise<ExecProcess> {
  checkArgv(argv);
  const id = randomUUID();
  // `exec`, so that a signal's name is reported and not the shell's 128 + n.
  const command = `exec ${quoteArgv(["env", `${SESSION_VARIABLE}=${id}`, ...argv])}`;
  checkLength(command);
  const { timeoutMs, signal } = options;
  return withDeadline(
    `start ${argv[0]} on ${link.host}`,
    { timeoutMs, signal },
    async (bounded) => {
      const release = await acquirePlace(link, bounded);
      const running = await openExec(link, {
        command,
        signal: bounded,
        attach: (channel) => attach({ link, id, channel, options, release }),
      }).catch((thrown) => {
        release();
        throw thrown;
      });
      const forget = whenAborted(signal, running.kill);
      void running.exited.then(forget, forget);
      if (bounded.aborted) running.kill();
      return running;
    },
  );
}

/** Linux passes a command line as one string of at most 128 KiB. */
const MAX_COMMAND_BYTES = 120 * 1024;

function checkLength(command: string): void {
  const bytes = Buffer.byteLength(command);
  if (bytes <= MAX_COMMAND_BYTES) return;
  throw new AlError(`a command line of ${bytes} bytes is too long; pass data on standard input`, {
    code: "argv-invalid",
    blame: "bug",
  });
}

async function acquirePlace(link: SshLink, signal: AbortSignal): Promise<() => void> {
  const either = AbortSignal.any([signal, link.ended]);
  return link.sessions.acquire(either);
}

interface Attach {
  readonly link: SshLink;
  readonly id: string;
  readonly channel: ClientChannel;
  readonly options: SessionOptions;
  readonly release: () => void;
}

function attach({ link, id, channel, options, release }: Attach): ExecProcess {
  const closed = new AbortController();
  const session: SshSession = { id, channel, closed: closed.signal };
  const stdin = channelWritable(channel);
  const stdout = bufferedReadable(channel);
  const stderr = bufferedReadable(channel.stderr);
  channel.on("error", () => {});
  const forget = whenAborted(link.gone, () => closed.abort());
  whenAborted(closed.signal, () => {
    forget();
    release();
    stdin.destroy();
  });
  channel.once("close", () => closed.abort());
  const exited = exitOf(link, channel, closed.signal);
  exited.catch((reason: Error) => {
    for (const stream of [stdin, stdout, stderr]) stream.destroy(reason);
  });
  options.onOpen(session);

  let killed = false;
  const kill = () => {
    if (killed || closed.signal.aborted) return;
    killed = true;
    options.onKill(session);
  };
  return { stdin, stdout, stderr, exited, kill };
}

function exitOf(link: SshLink, channel: ClientChannel, closed: AbortSignal): ExecProcess["exited"] {
  return new Promise((resolve, reject) => {
    let exit: Awaited<ExecProcess["exited"]> | undefined;
    channel.once("exit", (code: number | null, signal?: string) => {
      exit = { code, signal: signal ?? null };
    });
    const forget = whenAborted(link.ended, () => reject(link.ended.reason));
    whenAborted(closed, () => {
      forget();
      if (exit) resolve(exit);
      else reject(connectionLost(link.host, "a command's session was closed without its exit"));
    });
  });
}
