import { readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { kill } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { runCommand } from "./command.ts";

/** Ids of processes running `program` with `argument` somewhere in their command line. */
export async function processesNaming(program: string, argument: string): Promise<number[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const matches = await Promise.all(
    ids.map(async (id) => {
      const argv = (await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")).split("\0");
      const named = (argv[0] ?? "").split("/").at(-1)?.startsWith(program) ?? false;
      return named && argv.some((word) => word.includes(argument));
    }),
  );
  return ids.filter((_, index) => matches[index]);
}

/** Ends processes by id: SIGTERM, up to 5 seconds of patience, then SIGKILL. */
export async function endProcesses(ids: readonly number[]): Promise<void> {
  for (const id of ids) signal(id, "SIGTERM");
  for (let waited = 0; waited < 5_000 && ids.some(isAlive); waited += 100) await delay(100);
  for (const id of ids) signal(id, "SIGKILL");
  for (let waited = 0; waited < 2_000 && ids.some(isAlive); waited += 50) await delay(50);
}

/** True while a process with this id exists (a zombie counts as dead). */
export async function isRunning(id: number): Promise<boolean> {
  const stat = await readFile(`/proc/${id}/stat`, "utf8").catch(() => undefined);
  return stat !== undefined && !/\) [ZX] /.test(stat);
}

/** Kills everything below a cgroup that we made, on either cgroup version, and removes it. */
export async function killCgroup(name: string): Promise<void> {
  const controllers = await readdir("/sys/fs/cgroup").catch(() => []);
  const roots = ["/sys/fs/cgroup", ...controllers.map((entry) => join("/sys/fs/cgroup", entry))];
  for (const root of roots) await killTree(join(root, name));
}

/** Unmounts what a killed process left mounted below a directory, deepest first. */
export async function unmountBelow(directory: string): Promise<void> {
  const table = await readFile("/proc/self/mounts", "utf8").catch(() => "");
  const points = table
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((point) => point.startsWith(`${directory}/`))
    .sort((a, b) => b.length - a.length);
  for (const point of points) await runCommand(["umount", "--lazy", point]);
}

async function killTree(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await killTree(join(path, entry.name));
  const ids = await readFile(join(path, "cgroup.procs"), "utf8").catch(() => "");
  for (const id of ids.split("\n").filter(Boolean)) signal(Number(id), "SIGKILL");
  for (let tries = 0; tries < 20; tries += 1) {
    const gone = await rmdir(path).then(
      () => true,
      (thrown: { code?: string }) => thrown.code === "ENOENT" || thrown.code === "ENOTDIR",
    );
    if (gone) return;
    await delay(50);
  }
}

function isAlive(id: number): boolean {
  return signal(id, 0);
}

function signal(id: number, name: NodeJS.Signals | 0): boolean {
  try {
    return kill(id, name);
  } catch {
    return false;
  }
}
