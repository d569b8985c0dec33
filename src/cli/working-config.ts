import { AlError } from "../base/errors.ts";
import { loadProject } from "../config/load-project.ts";
import { formatProblems, type Problem } from "../config/problems.ts";
import type { ProjectConfig } from "../config/project-config.ts";
import { openWorkingTree } from "../git/working-tree.ts";
import type { CliContext } from "./context.ts";

/**
 * The project as the files at `-p` say now, committed or not.
 * @throws AlError `invalid-project` listing every problem.
 */
export async function readWorkingConfig({
  project,
  gitVariables,
  signal,
}: CliContext): Promise<ProjectConfig> {
  const tree = await openWorkingTree(project, { variables: gitVariables, signal }).look();
  const loaded = await loadProject(tree);
  if (loaded.ok) return loaded.project;
  throw new AlError(`${project} is not a valid project:\n${formatProblems(loaded.problems)}`, {
    code: "invalid-project",
    blame: "user",
    hint: `Nothing was changed. Mend these and try again.${takeBack(loaded.problems)}`,
  });
}

/** fleet.lock.toml is written by us: who edited it, or merged it badly, wants what was there before. */
function takeBack(problems: readonly Problem[]): string {
  const isWrong = problems.some(({ file }) => file === "fleet.lock.toml");
  return isWrong ? " To take fleet.lock.toml back: git checkout fleet.lock.toml" : "";
}

/** The machines that fleet.lock.toml names, by host. */
export function lockedIds({ lockedHosts }: ProjectConfig): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(lockedHosts).flatMap(([host, { instanceId }]) =>
      instanceId === undefined ? [] : [[host, instanceId]],
    ),
  );
}
