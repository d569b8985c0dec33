import { realpath } from "node:fs/promises";
import { join } from "node:path";
import type { GitVariables } from "./git-environment.ts";
import { runGit } from "./run-git.ts";

/**
 * The address by which a repository is known, for binding grants to it: a checkout's `origin` where
 * it has one, else its own directory, as a controller that follows it is told. Paths on this machine
 * come without symbolic links.
 */
export async function repositoryAddress(
  repository: { readonly gitDir: string },
  options: { readonly variables?: GitVariables; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const { gitDir } = repository;
  const ask = async (...args: string[]) => {
    const { status, stdout } = await runGit(args, { ...options, gitDir });
    return status === 0 ? stdout.toString("utf8").trim() : "";
  };
  if ((await ask("rev-parse", "--is-bare-repository")) === "true") return remoteAddress(gitDir);
  return remoteAddress((await ask("config", "--get", "remote.origin.url")) || gitDir);
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
