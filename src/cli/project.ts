import { basename } from "node:path";
import { AlError } from "../base/errors.ts";
import { type LoadOptions, loadProject } from "../config/load-project.ts";
import type { SourceTree } from "../config/ports.ts";
import { formatProblems } from "../config/problems.ts";
import type { ProjectConfig } from "../config/project-config.ts";
import { hasFile } from "../config/tree-paths.ts";
import { desireFleet } from "../core/desire.ts";
import type { FleetSpec } from "../core/desired.ts";
import { openRepository } from "../git/open-repository.ts";
import { repositoryAddress } from "../git/repository-address.ts";
import { hasUncommittedChanges } from "../git/uncommitted.ts";
import type { CliContext } from "./context.ts";
import { readImageAssets } from "./image-assets.ts";
import { checkOwner } from "./project-owner.ts";
import { onThisMachine } from "./this-machine.ts";

const UNCOMMITTED = "there are uncommitted changes; only what is committed counts";

/** A project at one commit, valid, with what it asks of its fleet. */
export interface Project {
  readonly config: ProjectConfig;
  readonly fleet: FleetSpec;
  /** The repository's address, which grants are bound to. */
  readonly remote: string;
  /**
   * `given` without a fleet.toml: the only host is the operator's own machine, and running the
   * command is the word that its agents may have their credentials.
   */
  readonly grants: "asked" | "given";
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
    const project = await readProject(tree, { directoryName: directoryName(context.project) });
    if (project.grants === "given") await checkOwner(context, project.fleet.project);
    const warnings = uncommitted ? [UNCOMMITTED, ...project.warnings] : project.warnings;
    return { ...project, warnings, remote };
  } finally {
    await repository.close();
  }
}

/** The name that a project without fleet.toml is made from. */
export function directoryName(project: string): string {
  return basename(project).replace(/\.git$/, "");
}

/**
 * What one commit's tree asks for. Without a fleet.toml, where the options give a name, the fleet is
 * this machine. @throws AlError `invalid-project`.
 */
export async function readProject(
  tree: SourceTree,
  options: LoadOptions = {},
): Promise<Omit<Project, "remote">> {
  const [loaded, assets] = await Promise.all([loadProject(tree, options), readImageAssets()]);
  if (!loaded.ok) throw invalidProject(tree.revision, formatProblems(loaded.problems));
  const hasFleet = hasFile(tree, "fleet.toml");
  const config = hasFleet ? loaded.project : onThisMachine(loaded.project);
  const fleet = desireFleet(config, assets, tree.revision);
  const warnings = loaded.warnings.map((warning) => formatProblems([warning]));
  return { config, fleet, warnings, grants: hasFleet ? "asked" : "given" };
}

function invalidProject(revision: string, report: string): AlError {
  return new AlError(`commit ${revision.slice(0, 12)} is not a valid project:\n${report}`, {
    code: "invalid-project",
    blame: "user",
    hint: "Nothing was changed. Mend these, commit, and try again.",
  });
}
