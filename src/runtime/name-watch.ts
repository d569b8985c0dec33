import type { Clock } from "../base/clock.ts";
import { toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Current } from "../core/observed.ts";
import { readCurrent } from "./current-file.ts";
import { readStopped } from "./stopped-file.ts";

/** Who is asking, and where. */
export interface NameWatch {
  readonly projectDir: string;
  readonly runtimeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const POLL_MS = 1000;
const FIRST_POLL_MS = 100;

/** What is live, if this runtime is named in it and no operator stopped it. @throws AlError `current-unreadable`. */
export async function readOwnCurrent(
  watch: Pick<NameWatch, "projectDir" | "runtimeName">,
): Promise<Current | undefined> {
  const { projectDir } = watch;
  const [current, stopped] = await Promise.all([readCurrent(projectDir), readStopped(projectDir)]);
  if (stopped) return undefined;
  return current?.runtime === watch.runtimeName ? current : undefined;
}

/** Waits up to `waitMs` for this runtime to be named: it is created before the switch. */
export async function untilNamed(watch: NameWatch, waitMs: number): Promise<Current | undefined> {
  const { clock, signal } = watch;
  const deadline = clock.now() + waitMs;
  while (!signal.aborted) {
    const current = await readQuietly(watch);
    if (current || clock.now() >= deadline) return current;
    await clock.sleep(FIRST_POLL_MS, signal).catch(() => undefined);
  }
  return undefined;
}

/**
 * Resolves when this runtime is no longer named, an operator stopped it, or the signal fires. `onChange` is told of each new
 * content, and again each second until it does not throw.
 */
export async function watchName(
  watch: NameWatch,
  onChange: (current: Current) => Promise<void>,
): Promise<void> {
  const { clock, logger, signal } = watch;
  let known = "";
  while (!signal.aborted) {
    try {
      const current = await readOwnCurrent(watch);
      if (!current) return;
      const text = JSON.stringify(current);
      if (text !== known) await onChange(current);
      known = text;
    } catch (thrown) {
      logger.error({ err: toAlError(thrown) }, "live release cannot be followed");
    }
    await clock.sleep(POLL_MS, signal).catch(() => undefined);
  }
}

async function readQuietly(watch: NameWatch): Promise<Current | undefined> {
  try {
    return await readOwnCurrent(watch);
  } catch (thrown) {
    watch.logger.warn({ err: toAlError(thrown) }, "current.json cannot be read yet");
    return undefined;
  }
}
