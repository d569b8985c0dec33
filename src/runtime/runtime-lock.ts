import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { takeFileLock } from "../state/file-lock.ts";

const RETRY_MS = 100;

/** How to wait for the lock. */
export interface LockWait {
  readonly clock: Clock;
  /** Asked before each attempt; false ends the waiting. */
  readonly wanted: () => Promise<boolean>;
}

/**
 * Waits for the right to be the project's only runtime at work. It ends with the process.
 * @returns what gives it back; undefined when it was no longer wanted.
 */
export async function takeRuntimeLock(
  projectDir: string,
  { clock, wanted }: LockWait,
): Promise<(() => void) | undefined> {
  while (await wanted()) {
    const release = takeFileLock(join(projectDir, "runtime.lock"));
    if (release) return release;
    await clock.sleep(RETRY_MS);
  }
  return undefined;
}
