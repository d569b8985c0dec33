import type { GitVariables } from "./git-environment.ts";
import { runGit } from "./run-git.ts";

/** True when a checkout differs from its HEAD, untracked files included; never for a bare repository. */
export async function hasUncommittedChanges(
  directory: string,
  options: { readonly variables?: GitVariables; readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  const args = ["status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=all"];
  const asked = await runGit(args, { ...options, cwd: directory });
  return asked.status === 0 && asked.stdout.length > 0;
}
