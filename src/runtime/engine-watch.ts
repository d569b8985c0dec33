import type { Clock } from "../base/clock.ts";
import { AlError, toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { DockerClient } from "../docker/docker-client.ts";

/** What to watch, and whom to tell. */
export interface EngineWatch {
  readonly docker: DockerClient;
  readonly runtimeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Told at each change. */
  readonly onChange: (answers: boolean) => void;
}

const POLL_MS = 1000;
const ANSWER_MS = 4000;
const LOST_AFTER_MS = 5000;

/**
 * Asks the engine for a sign of life each second; resolves when the signal fires.
 * A dockerd that was restarted with `live-restore` listens on a new socket, while this container, which
 * it let live, still has the old one. Only a restart of the container brings the new one in.
 * @throws AlError `engine-lost` when it has not answered for five seconds.
 */
export async function watchEngine(watch: EngineWatch): Promise<void> {
  const { docker, runtimeName, clock, logger, signal, onChange } = watch;
  let silentSince: number | undefined;
  while (!signal.aborted) {
    try {
      await docker.inspectContainer(runtimeName, { signal, timeoutMs: ANSWER_MS });
      if (silentSince !== undefined) onChange(true);
      silentSince = undefined;
    } catch (thrown) {
      if (signal.aborted) return;
      if (silentSince === undefined) {
        silentSince = clock.now();
        logger.warn({ reason: toAlError(thrown).message }, "the engine does not answer");
        onChange(false);
      }
      if (clock.now() - silentSince >= LOST_AFTER_MS) throw engineLost(thrown);
    }
    await clock.sleep(POLL_MS, signal).catch(() => undefined);
  }
}

function engineLost(cause: unknown): AlError {
  return new AlError("the engine cannot be reached any more; starting again", {
    code: "engine-lost",
    blame: "transient",
    cause,
  });
}
