import { existsSync, type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import { WAKE_DIRECTORY, WAKE_FILE } from "./wake-hook.ts";

/** How often a directory that is not there is looked for, in milliseconds. */
const RETRY_MS = 1000;

/**
 * Calls `onWake` whenever something was pushed to a bare repository on this machine, until the
 * signal fires. A directory that is missing, or goes away, is waited for; since pushes may have
 * been missed meanwhile, finding it again counts as a wake. Wakes may come more often than pushes.
 */
export function watchWake(
  bareDir: string,
  onWake: () => void,
  options: { readonly signal: AbortSignal },
): void {
  const { signal } = options;
  const directory = join(bareDir, WAKE_DIRECTORY);
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;

  const later = () => {
    watcher?.close();
    watcher = undefined;
    clearTimeout(timer);
    if (signal.aborted) return;
    timer = setTimeout(() => attach(true), RETRY_MS);
    timer.unref();
  };
  const attach = (wasMissing: boolean) => {
    watcher = openWatcher(directory, (name) => {
      if (name === WAKE_FILE) onWake();
      // Its own name is reported when the directory itself is moved or removed.
      else if (!existsSync(directory)) later();
    });
    if (!watcher) return later();
    watcher.on("error", later);
    if (wasMissing) onWake();
  };
  const stop = () => {
    clearTimeout(timer);
    watcher?.close();
  };

  if (signal.aborted) return;
  signal.addEventListener("abort", stop, { once: true });
  attach(false);
}

function openWatcher(
  directory: string,
  onChange: (name: string | null) => void,
): FSWatcher | undefined {
  try {
    return watch(directory, { persistent: false }, (_event, name) => onChange(name));
  } catch (thrown) {
    const code = errnoOf(thrown);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return undefined;
    throw thrown;
  }
}
