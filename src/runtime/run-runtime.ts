import { systemClock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { readOwnCurrent, untilNamed, watchName } from "./name-watch.ts";
import { openRuntime } from "./open-runtime.ts";
import { takeRuntimeLock } from "./runtime-lock.ts";

/** What a runtime is told. */
export interface RuntimeOptions {
  readonly projectDir: string;
  /** Its own container's name, compared with `current.json`. */
  readonly runtimeName: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const NAME_WAIT_MS = 2000;

/**
 * Serves a project's agents for as long as `current.json` names this runtime; resolves when it does
 * not, or when the signal fires. Runs that are under way go on; the next runtime adopts them.
 */
export async function runRuntime(options: RuntimeOptions): Promise<void> {
  const { logger, signal } = options;
  const watch = { ...options, clock: systemClock };
  if (!(await untilNamed(watch, NAME_WAIT_MS))) {
    logger.info({}, "not the live runtime");
    return;
  }
  const release = await takeRuntimeLock(options.projectDir, {
    clock: systemClock,
    wanted: async () => !signal.aborted && (await readOwnCurrent(options)) !== undefined,
  });
  if (!release) return;
  try {
    const current = await readOwnCurrent(options);
    if (!current) return;
    const runtime = await openRuntime(options, current);
    const unnamed = watchName(watch, (current) => runtime.reload(current));
    await Promise.race([unnamed, runtime.failed]).finally(() => runtime.close());
    logger.info({}, "the runtime has handed over");
  } finally {
    release();
  }
}
