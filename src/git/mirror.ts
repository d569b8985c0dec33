import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { AlError, errnoOf } from "../base/errors.ts";
import { type GitOptions, runGit } from "./run-git.ts";

/** The one ref of a mirror. */
export const MIRROR_REF = "refs/action-llama/source";

/** The directory of the mirror of one remote and branch. */
export function mirrorDirectory(cacheDir: string, url: string, branch: string): string {
  const name = createHash("sha256").update(`${url}\0${branch}`).digest("hex").slice(0, 16);
  return join(cacheDir, `${name}.git`);
}

/** Makes the bare mirror if there is none, and tidies one that is there. Idempotent. */
export async function prepareMirror(directory: string, options: GitOptions): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await removeStaleLocks(directory);
  const made = await runGit(["init", "--quiet", "--bare", "--template=", "--", directory], options);
  if (made.status !== 0) {
    throw new AlError(`no mirror could be made in ${directory}: ${made.stderr.trim()}`, {
      code: "mirror-failed",
      blame: "user",
      hint: "Check that the directory is writable and the disk not full.",
    });
  }
  // Objects of old commits are kept for two weeks, git's own default.
  await runGit(["-c", "gc.auto=2000", "gc", "--auto", "--quiet"], {
    ...options,
    gitDir: directory,
  });
}

/**
 * Removes what a killed git left. Only this process writes to the mirror, one fetch at a time,
 * so a lock that is there before a fetch has no holder.
 */
export async function removeStaleLocks(directory: string): Promise<void> {
  const places = ["", "refs/action-llama", "objects/pack", "objects/info"];
  for (const place of places) {
    const names = await listed(join(directory, place));
    const stale = names.filter((name) => name.endsWith(".lock") || name.startsWith("tmp_"));
    for (const name of stale) await rm(join(directory, place, name), { force: true });
  }
}

/** The commit the mirror's ref names, or undefined. */
export async function mirrorCommit(
  directory: string,
  options: GitOptions,
): Promise<string | undefined> {
  const loose = await looseRef(directory);
  if (loose) return loose;
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", MIRROR_REF];
  const found = await runGit(args, { ...options, gitDir: directory });
  return found.status === 0 ? found.stdout.toString("latin1").trim() : undefined;
}

async function looseRef(directory: string): Promise<string | undefined> {
  try {
    const text = (await readFile(join(directory, MIRROR_REF), "latin1")).trim();
    return /^[0-9a-f]{40,64}$/.test(text) ? text : undefined;
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

async function listed(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return [];
    throw thrown;
  }
}
