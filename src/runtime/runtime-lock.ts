import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../base/clock.ts";

const RETRY_MS = 100;

/** How to wait for the lock. */
export interface LockWait {
  readonly clock: Clock;
  /** Asked before each attempt; false ends the waiting. */
  readonly wanted: () => Promise<boolean>;
}

/**
 * Waits for the right to be the project's only runtime at work. It ends with the process, however
 * that ends: it is a lock of the kernel on a file, which SQLite takes in a portable way.
 * @returns what gives it back; undefined when it was no longer wanted.
 */
export async function takeRuntimeLock(
  projectDir: string,
  { clock, wanted }: LockWait,
): Promise<(() => void) | undefined> {
  const database = new DatabaseSync(join(projectDir, "runtime.lock"));
  try {
    while (await wanted()) {
      if (tryLock(database)) return () => database.close();
      await clock.sleep(RETRY_MS);
    }
  } catch (thrown) {
    database.close();
    throw thrown;
  }
  database.close();
  return undefined;
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (thrown) {
    const SQLITE_BUSY = 5;
    if ((thrown as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw thrown;
  }
}
