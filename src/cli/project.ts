import { AlError } from "../base/errors.ts";
import { loadProject } from "../config/load-project.ts";
import type { SourceTree } from "../config/ports.ts";
import { formatProblems } from "../config/problems.ts";
import type { ProjectConfig } from "../config/project-config.ts";
import { desireFleet } from "../core/desire.ts";
import type { FleetSpec } from "../core/desired.ts";
import { openRepository } from "../git/open-repository.ts";
import { repositoryAddress } from "../git/repository-address.ts";
import { hasUncommittedChanges } from "../git/uncommitted.ts";
import type { CliContext } from "./context.ts";
import { readImageAssets } from "./image-assets.ts";

const UNCOMMITTED = "there are uncommitted changes; only what is committed counts";

/** A project at one commit, valid, with what it asks of its fleet. */
export interface Project {
  readonly config: ProjectConfig;
  readonly fleet: FleetSpec;
  /** The repository's address, which grants are bound to. */
  readonly remote: string;
  /** One line each; nothing is wrong with them, but a person should see them. */
  readonly warnings: readonly string[];
}

/**
 * Reads the project at `-p`: the commit HEAD names, from its objects.
 * @throws AlError `invalid-project` listing every problem.
 */
export async function openProject(context: CliContext): Promise<Project> {
  const repository = await openRepository(context.project, {
    variables: context.gitVariables,
    signal: context.signal,
  });
  try {
    const options = { variables: context.gitVariables, signal: context.signal };
    const [tree, remote, uncommitted] = await Promise.all([
      repository.resolve().then((commit) => repository.tree(commit)),
      repositoryAddress(repository, options),
      hasUncommittedChanges(context.project, options),
    ]);
    const project = await readProject(tree);
    const warnings = uncommitted ? [UNCOMMITTED, ...project.warnings] : project.warnings;
    return { ...project, warnings, remote };
  } finally {
    await repository.close();
  }
}

/** What one commit's tree asks for. @throws AlError `invalid-project`. */
export async function readProject(tree: SourceTree): Promise<Omit<Project, "remote">> {
  const [loaded, assets] = await Promise.all([loadProject(tree), readImageAssets()]);
  if (!loaded.ok) throw invalidProject(tree.revision, formatProblems(loaded.problems));
  const fleet = desireFleet(loaded.project, assets, tree.revision);
  const warnings = loaded.warnings.map((warning) => formatProblems([warning]));
  return { config: loaded.project, fleet, warnings };
}

function invalidProject(revision: string, report: string): AlError {
  return new AlError(`commit ${revision.slice(0, 12)} is not a valid project:\n${report}`, {
    code: "invalid-project",
    blame: "user",
    hint: "Nothing was changed. Mend these, commit, and try again.",
  });
}
