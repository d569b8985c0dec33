import { realpath } from "node:fs/promises";
import { join } from "node:path";
import type { GitVariables } from "./git-environment.ts";
import { runGit } from "./run-git.ts";

/**
 * The address by which a repository is known, for binding grants to it: its `origin` where it has
 * one, else its own directory. Paths on this machine come without symbolic links.
 */
export async function repositoryAddress(
  repository: { readonly gitDir: string },
  options: { readonly variables?: GitVariables; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const { gitDir } = repository;
  const args = ["config", "--get", "remote.origin.url"];
  const asked = await runGit(args, { ...options, gitDir });
  const origin = asked.status === 0 ? asked.stdout.toString("utf8").trim() : "";
  return remoteAddress(origin === "" ? gitDir : origin);
}

/**
 * A remote's address in one spelling: a repository on this machine by its real git directory,
 * any other as it is written.
 */
export async function remoteAddress(url: string): Promise<string> {
  const path = url.replace(/^file:\/\//, "");
  if (!path.startsWith("/")) return url;
  const inside = await realpath(join(path, ".git")).catch(() => undefined);
  return inside ?? (await realpath(path).catch(() => path));
}
