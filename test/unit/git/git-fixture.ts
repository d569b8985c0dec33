import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A temporary directory that goes away with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "al-git-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs git hermetically and gives its trimmed standard output. */
export function git(cwd: string, ...args: string[]): string {
  const env = {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "T",
    GIT_AUTHOR_EMAIL: "t@example.com",
    GIT_COMMITTER_NAME: "T",
    GIT_COMMITTER_EMAIL: "t@example.com",
  };
  const stdio = ["ignore", "pipe", "pipe"] as const;
  return execFileSync("git", args, { cwd, env, stdio: [...stdio], encoding: "utf8" }).trim();
}

/** Writes files below a directory; a path ending in `*` is made executable without the star. */
export function writeFiles(directory: string, files: Readonly<Record<string, string | Buffer>>) {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name.replace(/\*$/, ""));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (name.endsWith("*")) chmodSync(path, 0o755);
  }
}

/** A checkout with one commit of these files, on branch main. */
export function checkout(files: Readonly<Record<string, string | Buffer>>): string {
  const directory = temporaryDirectory();
  git(directory, "init", "--quiet", "--initial-branch=main");
  writeFiles(directory, files);
  commit(directory);
  return directory;
}

/** Commits everything and gives the commit's id. */
export function commit(directory: string, message = "change"): string {
  git(directory, "add", "--all", "--force");
  git(directory, "commit", "--quiet", "--allow-empty", "-m", message);
  return git(directory, "rev-parse", "HEAD");
}

/** A bare clone of a checkout, which becomes the checkout's remote `origin`. */
export function bareOf(directory: string): string {
  const bare = join(temporaryDirectory(), "repo.git");
  git(directory, "clone", "--quiet", "--bare", "--", directory, bare);
  git(directory, "remote", "add", "origin", bare);
  return bare;
}
