import { LABELS, STANDING_ROLES } from "../core/names.ts";
import type { HostConnection } from "../host/session.ts";

/** What was stopped, and what goes on. */
export interface Stopped {
  /** Names of runtime containers that ran. */
  readonly runtimes: readonly string[];
  /** Runs that are under way; they end by themselves. */
  readonly runs: number;
}

/** Stops a project's runtime on a host, and its door, under the host's lock; everything else stays as it is. */
export async function stopRuntime(
  connection: HostConnection,
  { project, holder, signal }: { project: string; holder: string; signal: AbortSignal },
): Promise<Stopped> {
  const lock = await connection.lock(project, { holder, signal });
  try {
    const found = await connection.docker.listContainers(
      { [LABELS.project]: project },
      { signal: lock.signal },
    );
    const alive = found.filter(({ state }) => state === "running" || state === "restarting");
    const withRole = (role: string) => alive.filter(({ labels }) => labels[LABELS.role] === role);
    const runtimes = withRole("runtime").map(({ name }) => name);
    for (const { name } of STANDING_ROLES.flatMap(withRole)) {
      await connection.docker.stopContainer(name, { graceSeconds: 10, signal: lock.signal });
    }
    return { runtimes, runs: withRole("run").length };
  } finally {
    await lock.release();
  }
}
