import { relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { watch } from "chokidar";
import { isLeftOut } from "../git/list-files.ts";

/** Programs save in several steps; what is read while they are at it is half a file. */
const QUIET_MS = 30;

/**
 * Calls back soon after something at or below these paths was written, made or removed. A path that is
 * not there yet is waited for. Ends with the signal; a watcher that fails only means waiting for a poll.
 */
export function watchFiles(
  paths: readonly string[],
  onChange: () => void,
  signal: AbortSignal,
): void {
  const [root = ""] = paths;
  const watcher = watch([...paths], {
    ignoreInitial: true,
    atomic: false,
    ignored: (path) => isLeftOut(relative(root, path)),
  });
  let waiting = new AbortController();
  watcher.on("all", () => {
    waiting.abort();
    waiting = new AbortController();
    const either = AbortSignal.any([signal, waiting.signal]);
    delay(QUIET_MS, undefined, { signal: either }).then(onChange, () => undefined);
  });
  watcher.on("error", () => undefined);
  const close = () => void watcher.close().catch(() => undefined);
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
}
