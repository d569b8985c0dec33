import { execFile } from "node:child_process";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { environment } from "../lab/environment.ts";

const run = promisify(execFile);

/** A working copy that pushes to a bare repository, as a person has it. */
export interface WorkingCopy {
  readonly directory: string;
  write(path: string, content: string): Promise<void>;
  edit(path: string, change: (before: string) => string): Promise<void>;
  /** Removes a file or directory. */
  remove(path: string): Promise<void>;
  /** Makes a symbolic link. */
  link(path: string, target: string): Promise<void>;
  /** Commits everything; returns the commit id. */
  commit(message: string): Promise<string>;
  /** Pushes main; returns when it ended, in ms since the epoch. */
  push(): Promise<number>;
}

/** Makes a repository in `directory` whose `origin` is `bare`. */
export async function initWorkingCopy(directory: string, bare: string): Promise<WorkingCopy> {
  await mkdir(directory, { recursive: true });
  const git = (...args: string[]) => run("git", args, { cwd: directory, env: gitEnvironment() });
  await git("init", "--quiet", "--initial-branch=main");
  await git("remote", "add", "origin", bare);
  return {
    directory,
    async write(path, content) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), content);
    },
    async edit(path, change) {
      const file = join(directory, path);
      await writeFile(file, change(await readFile(file, "utf8")));
    },
    remove: (path) => rm(join(directory, path), { recursive: true }),
    link: (path, target) => symlink(target, join(directory, path)),
    async commit(message) {
      await git("add", "--all");
      await git("commit", "--quiet", "--message", message);
      return (await git("rev-parse", "HEAD")).stdout.trim();
    },
    async push() {
      await git("push", "--quiet", "origin", "main");
      return Date.now();
    },
  };
}

function gitEnvironment(): Record<string, string> {
  const { PATH = "" } = environment;
  const person = { NAME: "Demo", EMAIL: "demo@example.com" };
  return {
    PATH,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: person.NAME,
    GIT_AUTHOR_EMAIL: person.EMAIL,
    GIT_COMMITTER_NAME: person.NAME,
    GIT_COMMITTER_EMAIL: person.EMAIL,
  };
}
