import { AlError } from "./errors.ts";

/** Options every operation with an effect accepts. */
export interface CallOptions {
  /** Aborts the operation; what it started is cleaned up. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the operation is aborted with code `timeout`. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Runs `work` with a signal that fires on the caller's abort or after `timeoutMs`.
 * @throws AlError `timeout` (transient), naming `what`, when the time is up.
 */
export async function withDeadline<T>(
  what: string,
  options: CallOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onAbort = () => controller.abort(options.signal?.reason);
  options.signal?.throwIfAborted();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const { timeoutMs } = options;
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => controller.abort(timeoutError(what, timeoutMs)), timeoutMs);
  try {
    return await raceAbort(work(controller.signal), controller.signal);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
  }
}

/** Rejects with the signal's reason as soon as it fires, whatever `promise` does. */
export function raceAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function timeoutError(what: string, timeoutMs: number): AlError {
  return new AlError(`${what}: no result after ${timeoutMs} ms`, {
    code: "timeout",
    blame: "transient",
  });
}
