import { LABELS } from "../core/names.ts";
import type { DockerClient } from "../docker/docker-client.ts";

/** Roles of containers that belong to one run. */
const RUN_ROLES: ReadonlySet<string> = new Set(["run", "carrier"]);

/**
 * Removes containers and volumes of runs that are over. What runs is left alone, also when nobody
 * knows its run any more.
 */
export async function sweepRuns(
  { docker, project }: { readonly docker: DockerClient; readonly project: string },
  unfinished: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const labels = { [LABELS.project]: project, [LABELS.run]: true } as const;
  const kept = new Set(unfinished);
  for (const container of await docker.listContainers(labels, { signal })) {
    const run = container.labels[LABELS.run] ?? "";
    if (kept.has(run) || !RUN_ROLES.has(container.labels[LABELS.role] ?? "")) continue;
    if (container.state === "running" || container.state === "paused") kept.add(run);
    else await docker.removeContainer(container.id, { signal });
  }
  for (const volume of await docker.listVolumes(labels, { signal })) {
    if (!kept.has(volume.labels[LABELS.run] ?? ""))
      await docker.removeVolume(volume.name, { signal });
  }
}
