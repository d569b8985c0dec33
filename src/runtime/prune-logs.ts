import { opendir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import type { RunStore } from "../schedule/ports.ts";

/** Which logs of runs may stay. */
export interface LogLimits {
  /** Of all of them together. */
  readonly bytes: number;
  /** A log of which there is no record goes when it was last written before (ms since the epoch). */
  readonly before: number;
}

interface LogFile {
  readonly path: string;
  readonly run: string;
  readonly bytes: number;
  readonly writtenAt: number;
}

const LOG = /^([0-9A-Z]{26})\.log$/;

/** Removes the oldest logs until the rest is small enough, and those of no run; never an unfinished run's. */
export async function pruneLogs(
  projectDir: string,
  store: Pick<RunStore, "get">,
  { bytes, before }: LogLimits,
): Promise<void> {
  const files = await logFiles(join(projectDir, "logs"));
  let total = 0;
  for (const file of files.toSorted((a, b) => (a.run < b.run ? 1 : -1))) {
    total += file.bytes;
    if (total <= bytes && file.writtenAt >= before) continue;
    const run = await store.get(file.run);
    const isKept = run && (run.state !== "finished" || total <= bytes);
    if (!isKept) await rm(file.path, { force: true });
  }
}

async function logFiles(logs: string): Promise<readonly LogFile[]> {
  const files: LogFile[] = [];
  for (const agent of await entries(logs)) {
    for (const name of await entries(join(logs, agent))) {
      const run = LOG.exec(name)?.[1];
      const path = join(logs, agent, name);
      const found = run === undefined ? undefined : await stat(path).catch(() => undefined);
      if (run === undefined || !found?.isFile()) continue;
      files.push({ path, run, bytes: found.size, writtenAt: found.mtimeMs });
    }
  }
  return files;
}

async function entries(directory: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(directory)) names.push(name);
  } catch (thrown) {
    if (!["ENOENT", "ENOTDIR"].includes(errnoOf(thrown) ?? "")) throw thrown;
  }
  return names;
}
