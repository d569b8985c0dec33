import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { getuid } from "node:process";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { AlError } from "../../src/base/errors.ts";
import { environment } from "./environment.ts";

/** Where one line of progress goes; plain text, no newline at its end. */
export type Log = (line: string) => void;

/** What every step of the lab's set-up takes. */
export interface SetupOptions {
  readonly log: Log;
}

/**
 * The lab's own directory outside any checkout, shared by all of them, created when missing.
 * `AL_LAB_CACHE` moves it; keep that short, a unix socket's path ends at 107 bytes.
 */
export function cacheDirectory(...below: string[]): string {
  const root =
    environment.AL_LAB_CACHE ??
    (getuid?.() === 0
      ? "/var/cache/action-llama-lab"
      : join(homedir(), ".cache", "action-llama-lab"));
  const path = join(root, ...below);
  mkdirSync(path, { recursive: true });
  return path;
}

/**
 * Runs `work` while no other process of this machine runs anything under the same name.
 * The lock is SQLite's lock on a file, so it dies with its process, however that ends.
 */
export async function withLock<T>(
  name: string,
  options: SetupOptions & { readonly timeoutMs?: number },
  work: () => Promise<T>,
): Promise<T> {
  const lock = new DatabaseSync(join(cacheDirectory(), `${name}.lock`));
  try {
    await acquire(lock, name, options);
    return await work();
  } finally {
    lock.close();
  }
}

async function acquire(
  lock: DatabaseSync,
  name: string,
  { log, timeoutMs = 600_000 }: SetupOptions & { readonly timeoutMs?: number },
): Promise<void> {
  const end = Date.now() + timeoutMs;
  for (let told = false; !tryLock(lock); told = true) {
    if (!told) log(`waiting for another process that is busy with ${name}`);
    if (Date.now() > end) {
      throw new AlError(`lab: another process has held ${name} for ${timeoutMs} ms`, {
        code: "lab-locked",
        blame: "transient",
      });
    }
    await delay(100);
  }
}

function tryLock(lock: DatabaseSync): boolean {
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (thrown) {
    if (/locked/.test(String(thrown))) return false;
    throw thrown;
  }
}
