import { type CallOptions, withDeadline } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import { fetchError } from "./fetch-errors.ts";
import type { GitVariables } from "./git-environment.ts";
import {
  MIRROR_REF,
  mirrorCommit,
  mirrorDirectory,
  prepareMirror,
  removeStaleLocks,
} from "./mirror.ts";
import { ObjectReader } from "./object-reader.ts";
import { type CommitTree, readTree } from "./read-tree.ts";
import { parseRemoteUrl } from "./remote-url.ts";
import { runGit } from "./run-git.ts";

/** Where a project's commits come from. */
export interface SourceOptions {
  readonly url: string;
  readonly branch: string;
  /** Holds the mirror; only one process at a time may use it. */
  readonly cacheDir: string;
  /** Added to git's otherwise empty environment: SSH_AUTH_SOCK, PATH. */
  readonly variables?: GitVariables;
  readonly signal?: AbortSignal;
}

/** A remote repository's branch, mirrored. */
export interface Source {
  /** Brings the mirror up to date and gives the branch's commit. Calls run one after another. */
  fetch(options?: CallOptions): Promise<{ readonly commit: string }>;
  /** The files of a commit that was fetched. */
  tree(commit: string): Promise<CommitTree>;
  /** Ends the processes it started. */
  close(): Promise<void>;
}

const FETCH_TIMEOUT_MS = 120_000;

/** Opens the mirror of one branch; contacts the remote only in `fetch`. */
export async function openSource(options: SourceOptions): Promise<Source> {
  const { branch, cacheDir, variables, signal } = options;
  const remote = parseRemoteUrl(options.url);
  const gitDir = mirrorDirectory(cacheDir, remote.url, branch);
  await prepareMirror(gitDir, { variables, signal });
  const reader = new ObjectReader({ gitDir, variables });
  const closing = new AbortController();
  let last: Promise<unknown> = Promise.resolve();
  let process: Promise<unknown> = Promise.resolve();

  async function fetchNow(call: CallOptions): Promise<{ commit: string }> {
    await removeStaleLocks(gitDir);
    const args = fetchArguments(remote.url, branch, remote.localPath !== undefined);
    const limits = { timeoutMs: FETCH_TIMEOUT_MS, ...call };
    const done = await withDeadline(`fetching ${remote.masked}`, limits, (deadline) => {
      const running = runGit(args, { gitDir, variables, signal: deadline });
      process = Promise.allSettled([running]);
      return running;
    });
    const commit = done.status === 0 ? await mirrorCommit(gitDir, { variables }) : undefined;
    if (commit === undefined) throw fetchError(remote.masked, branch, done.stderr);
    return { commit };
  }

  return {
    fetch(call = {}) {
      const merged = { ...call, signal: anySignal(closing.signal, signal, call.signal) };
      const fetched = last.then(() => fetchNow(merged));
      // The next one starts when this one's git is gone, which may be after it was given up.
      last = Promise.allSettled([fetched]).then(() => process);
      return fetched;
    },
    tree: (commit) => readTree({ commit, prefix: "" }, reader, { gitDir, variables, signal }),
    close: async () => {
      closing.abort(new AlError("the source was closed", { code: "closed", blame: "transient" }));
      await last;
      await reader.close();
    },
  };
}

function fetchArguments(url: string, branch: string, isLocal: boolean): readonly string[] {
  // A repository of another user is refused by upload-pack unless told; a constant, never a path.
  const uploadPack = isLocal ? ["--upload-pack=git -c safe.directory=* upload-pack"] : [];
  return [
    "fetch",
    ...["--quiet", "--depth=1", "--no-tags", "--force", "--no-write-fetch-head"],
    ...["--no-recurse-submodules", "--no-auto-maintenance", ...uploadPack],
    ...["--", url, `+refs/heads/${branch}:${MIRROR_REF}`],
  ];
}

function anySignal(...signals: (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}
