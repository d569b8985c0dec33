import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  writeFile,
} from "node:fs/promises";
import { join, resolve } from "node:path";
import { AlError, errnoOf } from "../base/errors.ts";
import type { GitVariables } from "./git-environment.ts";
import { runGit } from "./run-git.ts";

/** Directory, in a bare repository or a controller's store, that a controller watches. */
export const WAKE_DIRECTORY = "action-llama";
/** The file in it that every push replaces. */
export const WAKE_FILE = "wake";

const MARK = "# Action Llama Fleet: tells a controller on this machine that something was pushed.";

const HOOK = `#!/bin/sh
${MARK}
# It carries no data: the controller reads the repository again. A push never fails because of it.
directory="\${GIT_DIR:-.}/${WAKE_DIRECTORY}"
temporary="$directory/.${WAKE_FILE}.$$"
mkdir -p "$directory" && : >"$temporary" && mv -f "$temporary" "$directory/${WAKE_FILE}"
exit 0
`;

/** What was done to a repository. */
export interface InstalledHook {
  /** Absolute path of the bare repository. */
  readonly directory: string;
  /** False when it was there before. */
  readonly created: boolean;
}

/**
 * Makes `directory` a bare repository (branch main) if it is none, and gives it a post-receive
 * hook that wakes a controller. Idempotent; an older hook of ours is replaced.
 * @throws AlError `foreign-hook` (user) where another post-receive hook is in place.
 */
export async function installWakeHook(
  directory: string,
  options: { readonly variables?: GitVariables; readonly signal?: AbortSignal } = {},
): Promise<InstalledHook> {
  const bare = resolve(directory);
  const created = !(await isBareRepository(bare, options));
  if (created) await createBare(bare, options);
  const hooks = join(bare, "hooks");
  const hook = join(hooks, "post-receive");
  const present = await readIfPresent(hook);
  if (present !== undefined && !present.includes(MARK)) throw foreignHook(hook);
  await mkdir(hooks, { recursive: true });
  await mkdir(join(bare, WAKE_DIRECTORY), { recursive: true });
  await likeRepository(bare, join(bare, WAKE_DIRECTORY));
  if (present !== HOOK) await replaceFile(hook, HOOK);
  await chmod(hook, 0o755);
  return { directory: bare, created };
}

/** True for a directory that is itself a bare repository. */
export async function isBareRepository(
  directory: string,
  options: { readonly variables?: GitVariables; readonly signal?: AbortSignal },
): Promise<boolean> {
  if (!(await isDirectory(directory))) return false;
  // --git-dir looks at this directory only, not at a repository around it.
  const args = ["rev-parse", "--is-bare-repository"];
  const asked = await runGit(args, { ...options, gitDir: directory });
  return asked.status === 0 && asked.stdout.toString("latin1").trim() === "true";
}

async function createBare(
  directory: string,
  options: { readonly variables?: GitVariables; readonly signal?: AbortSignal },
): Promise<void> {
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0) throw notBare(directory, "it is not empty");
  const args = ["init", "--quiet", "--bare", "--initial-branch=main", "--", directory];
  const made = await runGit(args, { ...options, cwd: directory });
  if (made.status !== 0) throw notBare(directory, made.stderr.trim());
}

/** Whoever may push must be able to write the wake file. */
async function likeRepository(bare: string, directory: string): Promise<void> {
  const [wanted, found] = await Promise.all([stat(bare), stat(directory)]);
  if (wanted.uid !== found.uid || wanted.gid !== found.gid) {
    await chown(directory, wanted.uid, wanted.gid);
  }
  if (wanted.mode !== found.mode) await chmod(directory, wanted.mode & 0o7777);
}

async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, content, { mode: 0o755 });
  await rename(temporary, path);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return false;
    throw thrown;
  }
}

/** A symbolic link counts as present, whatever it points to. */
async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    const found = await lstat(path);
    return found.isFile() ? await readFile(path, "utf8") : "";
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

function foreignHook(hook: string): AlError {
  return new AlError(`${hook} is there already and is not ours; it was left alone`, {
    code: "foreign-hook",
    blame: "user",
    hint: `Move it away, or add this line to it: : >"$GIT_DIR/${WAKE_DIRECTORY}/${WAKE_FILE}"`,
  });
}

function notBare(directory: string, reason: string): AlError {
  return new AlError(`${directory} cannot be made a bare repository: ${reason}`, {
    code: "not-bare",
    blame: "user",
    hint: "Give a directory that does not exist yet, or a bare repository.",
  });
}
