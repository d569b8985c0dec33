import { AlError } from "../base/errors.ts";
import type { GitVariables } from "./git-environment.ts";
import { ObjectReader } from "./object-reader.ts";
import { type CommitTree, readTree } from "./read-tree.ts";
import { runGit } from "./run-git.ts";

/** A repository on this machine, bare or checked out. */
export interface Repository {
  /** Absolute path of its git directory. */
  readonly gitDir: string;
  /** The project's directory within it, ending in `/`; empty at its top. */
  readonly prefix: string;
  /** The commit id of a branch, tag or id; HEAD unless told. */
  resolve(revision?: string): Promise<string>;
  /** The project's files at a commit. */
  tree(commit: string): Promise<CommitTree>;
  /** Ends the processes it started. */
  close(): Promise<void>;
}

/**
 * Opens the repository that `directory` is, or lies in.
 * @throws AlError `not-a-repository` (user).
 */
export async function openRepository(
  directory: string,
  options: { readonly variables?: GitVariables; readonly signal?: AbortSignal } = {},
): Promise<Repository> {
  const { variables, signal } = options;
  const asked = ["-C", directory, "rev-parse", "--absolute-git-dir", "--show-prefix"];
  const found = await runGit(asked, { variables, signal });
  const [gitDir, prefix = ""] = found.stdout.toString("utf8").split("\n");
  if (found.status !== 0 || !gitDir) throw notARepository(directory, found.stderr);
  const reader = new ObjectReader({ gitDir, variables });
  return {
    gitDir,
    prefix,
    resolve: async (revision = "HEAD") => {
      const wanted = `${revision}^{commit}`;
      const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", wanted];
      const resolved = await runGit(args, { gitDir, variables, signal });
      if (resolved.status !== 0) throw unknownRevision(directory, revision);
      return resolved.stdout.toString("latin1").trim();
    },
    tree: (commit) => readTree({ commit, prefix }, reader, { gitDir, variables, signal }),
    close: () => reader.close(),
  };
}

function notARepository(directory: string, stderr: string): AlError {
  const reason = stderr.trim().replace(/^fatal: /, "");
  return new AlError(`${directory} is not in a git repository: ${reason}`, {
    code: "not-a-repository",
    blame: "user",
    hint: `Run \`git init ${directory}\` and commit the project's files, or give another directory with -p. \`al dev\` needs no repository.`,
  });
}

function unknownRevision(directory: string, revision: string): AlError {
  const none = revision === "HEAD";
  const what = none ? "has no commit yet" : `has no revision ${JSON.stringify(revision)}`;
  return new AlError(`the repository in ${directory} ${what}`, {
    code: "unknown-revision",
    blame: "user",
    hint: none
      ? "Commit the project's files: `git add -A && git commit`."
      : "`git log --oneline` lists the commits there are.",
  });
}
