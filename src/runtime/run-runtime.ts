import { systemClock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { readOwnCurrent, untilNamed, watchName } from "./name-watch.ts";
import { openRuntime } from "./open-runtime.ts";
import { stopOwnContainer } from "./own-container.ts";
import { takeRuntimeLock } from "./runtime-lock.ts";
import { readStopped } from "./stopped-file.ts";

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
 * Serves a project's agents for as long as `current.json` names this runtime and no operator stopped it;
 * resolves when that is over, or when the signal fires. Runs that are under way go on; the next runtime
 * adopts them. A stopped runtime has the engine stop its container, also when it is started again.
 */
export async function runRuntime(options: RuntimeOptions): Promise<void> {
  const { logger, projectDir, signal } = options;
  if (!(await readStopped(projectDir))) await serve(options);
  const stopped = await readStopped(projectDir);
  if (signal.aborted || !stopped) return;
  logger.info({ by: stopped.by, since: stopped.since }, "stopped by an operator");
  await stopOwnContainer(options);
}

async function serve(options: RuntimeOptions): Promise<void> {
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
