import { LABELS, STANDING_ROLES } from "../core/names.ts";
import type { HostConnection } from "../host/session.ts";

/** What was stopped, and what goes on. */
export interface StoppedContainers {
  /** Names of runtime containers that ran. */
  readonly runtimes: readonly string[];
  /** Names of runs that are under way; they end by themselves. */
  readonly runs: readonly string[];
}

/** Stops a project's runtime on a host, and its door, under the host's lock; everything else stays as it is. */
export async function stopRuntime(
  connection: HostConnection,
  { project, holder, signal }: { project: string; holder: string; signal: AbortSignal },
): Promise<StoppedContainers> {
  const lock = await connection.lock(project, { holder, signal });
  try {
    const roles = STANDING_ROLES;
    return await stopContainers(connection, { project, roles, signal: lock.signal });
  } finally {
    await lock.release();
  }
}

/** Stops those of a project's containers on a host that play one of these roles. */
export async function stopContainers(
  { docker }: HostConnection,
  of: { readonly project: string; readonly roles: readonly string[]; readonly signal: AbortSignal },
): Promise<StoppedContainers> {
  const { project, roles, signal } = of;
  const found = await docker.listContainers({ [LABELS.project]: project }, { signal });
  const alive = found.filter(({ state }) => state === "running" || state === "restarting");
  const withRole = (role: string) =>
    alive.filter(({ labels }) => labels[LABELS.role] === role).map(({ name }) => name);
  for (const name of roles.flatMap(withRole)) {
    await docker.stopContainer(name, { graceSeconds: 10, signal });
  }
  return { runtimes: withRole("runtime"), runs: withRole("run") };
}
