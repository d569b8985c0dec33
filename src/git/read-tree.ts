import { AlError } from "../base/errors.ts";
import type { ObjectReader } from "./object-reader.ts";
import { type GitOptions, runGit } from "./run-git.ts";
import { parseTree, type RefusedPath, type TreeEntry } from "./tree-entries.ts";

/** The files of one commit: what `entries` lists is safe to read and to name. */
export interface CommitTree {
  /** Commit id. */
  readonly revision: string;
  /** Sorted by path. */
  readonly entries: readonly TreeEntry[];
  /** What is not, and makes the commit invalid. */
  readonly refused: readonly RefusedPath[];
  read(path: string): Promise<Uint8Array>;
}

/** Which tree to read. */
export interface TreeRequest {
  /** Full commit id. */
  readonly commit: string;
  /** Directory within the repository, ending in `/`; empty for all of it. */
  readonly prefix: string;
}

/** Lists a commit's files; contents are read on demand, by object id. */
export async function readTree(
  request: TreeRequest,
  reader: ObjectReader,
  options: GitOptions,
): Promise<CommitTree> {
  const { commit, prefix } = request;
  if (!/^[0-9a-f]{40,64}$/.test(commit)) throw unknownCommit(commit, "it is not a commit id");
  const args = ["ls-tree", "-r", "-z", "-l", "--full-tree", "--", `${commit}:${prefix}`];
  const listed = await runGit(args, options);
  if (listed.status !== 0) throw unknownCommit(commit, listed.stderr.trim());
  const { entries, refused } = parseTree(listed.stdout, `commit ${commit.slice(0, 12)}`);
  const ids = new Map(entries.map(({ path, id }) => [path, id]));
  return {
    revision: commit,
    entries,
    refused,
    read: async (path) => {
      const id = ids.get(path);
      if (id === undefined) throw notInTree(path, commit);
      return await reader.read(id);
    },
  };
}

function unknownCommit(commit: string, reason: string): AlError {
  return new AlError(`no files for commit ${JSON.stringify(commit)}: ${reason}`, {
    code: "unknown-commit",
    blame: "user",
    hint: "Look with `git log` which commits the repository has.",
  });
}

function notInTree(path: string, commit: string): AlError {
  return new AlError(`${JSON.stringify(path)} is not in commit ${commit.slice(0, 12)}`, {
    code: "not-in-tree",
    blame: "bug",
  });
}
