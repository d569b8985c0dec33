import { AlError } from "../base/errors.ts";
import { loadProject } from "../config/load-project.ts";
import { formatProblems, type Problem } from "../config/problems.ts";
import type { ProjectConfig } from "../config/project-config.ts";
import { openWorkingTree } from "../git/working-tree.ts";
import type { CliContext } from "./context.ts";
import { directoryName } from "./project.ts";
import { checkWorkingCopy } from "./working-copy.ts";

/**
 * The project as the files at `-p` say now, committed or not; without a fleet.toml it has no hosts.
 * @throws AlError `no-working-copy`, or `invalid-project` listing every problem.
 */
export async function readWorkingConfig(context: CliContext): Promise<ProjectConfig> {
  await checkWorkingCopy(context);
  const { project, gitVariables, signal } = context;
  const tree = await openWorkingTree(project, { variables: gitVariables, signal }).look();
  const loaded = await loadProject(tree, { directoryName: directoryName(project) });
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
