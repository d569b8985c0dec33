import type { Run } from "../core/run.ts";

/** The run's own container: the same name for the same run, whoever asks. */
export function runContainerName(project: string, run: Pick<Run, "id">): string {
  return `al-${project}-run-${run.id.toLowerCase()}`;
}

/** Names of what belongs to a run's container. */
export function runObjectNames(container: string) {
  return {
    carrier: `${container}-carrier`,
    /** Mounted at /credentials. */
    credentials: `${container}-credentials`,
    /** Mounted at /run/al: prompt, configuration, secret. */
    input: `${container}-input`,
  };
}
