import type { HostSession, HostsPort } from "./ports.ts";

/** A HostsPort that keeps connections between passes. */
export interface SessionPool extends HostsPort {
  /** Ends every connection; one that is in use ends when its pass closes it. */
  closeAll(): Promise<void>;
}

interface Entry {
  readonly fingerprint: string | undefined;
  readonly endpoint: string;
  readonly session: HostSession;
}

/**
 * Keeps one connection per host open from pass to pass. A session that a call failed on is ended
 * when its pass closes it, so the next pass starts from a fresh one.
 */
export function poolSessions(hosts: HostsPort): SessionPool {
  const idle = new Map<string, Entry>();
  let closed = false;
  const keeper = (host: string) => async (entry: Entry) => {
    if (closed || idle.has(host)) await entry.session.close();
    else idle.set(host, entry);
  };
  return {
    readHostKey: (address, options) => hosts.readHostKey(address, options),
    async connect(address, options) {
      const endpoint = `${address.user}@${address.address}:${address.port}`;
      const { fingerprint } = options;
      const kept = idle.get(address.host);
      idle.delete(address.host);
      const fits = kept?.endpoint === endpoint && kept.fingerprint === fingerprint;
      if (kept && fits && kept.session.isAlive()) {
        return watched(kept, keeper(address.host));
      }
      await kept?.session.close();
      const session = await hosts.connect(address, options);
      return watched({ session, endpoint, fingerprint }, keeper(address.host));
    },
    async closeAll() {
      closed = true;
      const entries = [...idle.values()];
      idle.clear();
      await Promise.allSettled(entries.map(({ session }) => session.close()));
    },
  };
}

/** The session, whose `close` gives it back as long as every call on it went well. */
function watched(entry: Entry, giveBack: (entry: Entry) => Promise<void>): HostSession {
  const { session } = entry;
  let healthy = true;
  const guard = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (thrown) {
      healthy = false;
      throw thrown;
    }
  };
  return {
    observe: (project, options) => guard(session.observe(project, options)),
    lock: (project, options) => guard(session.lock(project, options)),
    readTree: (directory, options) => guard(session.readTree(directory, options)),
    carryOut: (step, context) => guard(session.carryOut(step, context)),
    isAlive: () => session.isAlive(),
    async close() {
      if (healthy) await giveBack(entry);
      else await session.close();
    },
  };
}
