import type { RunLog } from "./run-log.ts";
import type { Stop } from "./stop.ts";

/** A run's time where nobody says another. */
export const DEFAULT_TIMEOUT_SECONDS = 3600;

const MAX_SECONDS = 2_000_000;

/**
 * Ends the run with code 124 when its time is up, counted from now. `seconds` is the text of
 * TIMEOUT_SECONDS; where that is no number, `fallback` gives the time once it is known.
 */
export function startTerminationTimer(
  seconds: string | undefined,
  { log, stop }: { readonly log: RunLog; readonly stop: Stop },
): { fallback(seconds: number): void } {
  const started = performance.now();
  const arm = (limit: number) => {
    const leftMs = Math.min(limit, MAX_SECONDS) * 1000 - (performance.now() - started);
    const expire = () => {
      log.log("error", "container timeout reached, self-terminating", { timeoutSeconds: limit });
      stop.now(124);
    };
    setTimeout(expire, Math.max(0, leftMs)).unref();
  };
  const given = Number(seconds);
  const isGiven = seconds !== undefined && Number.isFinite(given) && given > 0;
  if (isGiven) arm(given);
  return { fallback: (limit) => (isGiven ? undefined : arm(limit)) };
}
