import { LABELS } from "../core/names.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import type { StepInput } from "./carry-out.ts";

/** Roles of containers that belong to one run. */
const RUN_ROLES: ReadonlySet<string> = new Set(["run", "carrier"]);

/**
 * Removes containers and volumes of runs that are over. What runs is left alone, also when nobody
 * knows its run any more.
 */
export async function sweepRuns(
  { docker, project }: { readonly docker: DockerClient; readonly project: string },
  unfinished: ReadonlySet<string>,
  signal: AbortSignal | undefined,
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

/** Roles of containers that the runtime makes for a moment. */
const ONE_SHOT_ROLES = ["probe", "rules"];

/** Removes what is left of runs that are over, and of one-shot containers, when no runtime does it any more. */
export async function clearRuns({ docker, spec, signal }: StepInput): Promise<void> {
  const { project } = spec;
  for (const role of ONE_SHOT_ROLES) {
    const labels = { [LABELS.project]: project, [LABELS.role]: role };
    for (const { id } of await docker.listContainers(labels, { signal })) {
      await docker.removeContainer(id, { force: true, signal });
    }
  }
  await sweepRuns({ docker, project }, new Set(), signal);
}
