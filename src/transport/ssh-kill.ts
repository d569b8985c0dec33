import { raceAbort } from "../base/deadline.ts";
import { quoteArgv } from "./quote.ts";
import type { SshLink } from "./ssh-link.ts";
import { openExec } from "./ssh-open.ts";
import { SESSION_VARIABLE, type SshSession } from "./ssh-session.ts";

const GRACE_MS = 2000;
const SIGNAL_TIMEOUT_MS = 10_000;

/**
 * Ends a session's command and its children: TERM, after two seconds KILL, then the channel.
 *
 * Closing a channel without a terminal sends no signal at all, and sshd refuses signal requests for
 * root and for forced commands. So the processes are found by the variable they inherited.
 */
export async function endSession(link: SshLink, session: SshSession): Promise<void> {
  session.channel.end();
  await signalSessions(link, "TERM", [session]);
  if (await closedWithin(GRACE_MS, [session])) return;
  await signalSessions(link, "KILL", [session]);
  if (await closedWithin(GRACE_MS, [session])) return;
  session.channel.close();
}

/** Ends all sessions at once and in a hurry; resolves when they are gone or nothing more can be done. */
export async function endSessions(link: SshLink, sessions: readonly SshSession[]): Promise<void> {
  if (sessions.length === 0) return;
  await signalSessions(link, "TERM", sessions);
  if (await closedWithin(300, sessions)) return;
  await signalSessions(link, "KILL", sessions);
  await closedWithin(200, sessions);
}

const SIGNAL_SCRIPT = `signal=$1
shift
grep -lF "$@" /proc/[0-9]*/environ 2>/dev/null | while IFS=/ read -r _ _ pid _; do
  kill -s "$signal" "$pid" 2>/dev/null
done`;

/** Never rejects: where the connection has ended or hangs there is nothing to signal with. */
async function signalSessions(
  link: SshLink,
  signal: "TERM" | "KILL",
  sessions: readonly SshSession[],
): Promise<void> {
  const patterns = sessions.flatMap(({ id }) => ["-e", `${SESSION_VARIABLE}=${id}`]);
  const command = quoteArgv(["sh", "-c", SIGNAL_SCRIPT, "sh", signal, ...patterns]);
  try {
    const giveUp = AbortSignal.any([link.gone, AbortSignal.timeout(SIGNAL_TIMEOUT_MS)]);
    const release = await link.killSessions.acquire(giveUp);
    await raceAbort(run(link, command, giveUp), giveUp).finally(release);
  } catch {}
}

async function run(link: SshLink, command: string, signal: AbortSignal): Promise<void> {
  const ended = await openExec(link, {
    command,
    signal,
    attach(channel) {
      channel.on("error", () => {});
      channel.resume();
      channel.stderr.resume();
      channel.end();
      return { closed: new Promise<void>((resolve) => channel.once("close", () => resolve())) };
    },
  });
  await ended.closed;
}

async function closedWithin(ms: number, sessions: readonly SshSession[]): Promise<boolean> {
  const open = sessions.filter(({ closed }) => !closed.aborted);
  if (open.length === 0) return true;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const gone = Promise.all(
    open.map(
      ({ closed }) =>
        new Promise<void>((resolve) => {
          closed.addEventListener("abort", () => resolve(), { once: true });
        }),
    ),
  ).then(() => true);
  return Promise.race([gone, late]).finally(() => clearTimeout(timer));
}
