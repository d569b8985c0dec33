import type { Clock } from "../base/clock.ts";
import { type AlError, toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Run } from "../core/run.ts";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

/** Options of {@link retry}. */
export interface RetryOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told of each failure; false ends the attempts and throws it. Default: never ends. */
  readonly onFailure?: (failure: AlError, attempt: number) => boolean;
}

/**
 * Repeats `work` until it succeeds, with delays doubling from 0.5 s to 30 s.
 * @throws the signal's reason once it fires, or the failure `onFailure` was false for.
 */
export async function retry<T>(
  work: () => Promise<T>,
  { clock, signal, onFailure = () => true }: RetryOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (thrown) {
      signal.throwIfAborted();
      const failure = toAlError(thrown);
      if (!onFailure(failure, attempt)) throw failure;
      await clock.sleep(Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS), signal);
    }
  }
}

/** Never gives up: the run is somewhere, and only the engine knows how it is. */
export function stubborn(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  run: Run,
  signal: AbortSignal,
): RetryOptions {
  return {
    clock,
    signal,
    onFailure: (error) => {
      logger.warn({ run: run.id, agent: run.agent, reason: error.message }, "run is out of reach");
      return true;
    },
  };
}
