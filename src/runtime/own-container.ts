import { systemClock } from "../base/clock.ts";
import { toAlError } from "../base/errors.ts";
import { openDocker } from "../docker/docker-client.ts";
import { openLocal } from "../transport/local.ts";
import type { RuntimeOptions } from "./run-runtime.ts";

const RETRY_MS = 5000;

/**
 * Has the engine stop the container this program runs in, and with its restart policy neither a restart of
 * the engine nor a reboot starts it again. Resolves when the engine asks this program to end, or when the
 * engine did not obey: whoever then ends is started again by it, and gets here once more.
 */
export async function stopOwnContainer(options: RuntimeOptions): Promise<void> {
  const { runtimeName, logger, signal } = options;
  const transport = openLocal({ host: "local" });
  const docker = openDocker(transport);
  try {
    const asked = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    // The answer comes when the container has ended, which nobody in it sees.
    await Promise.race([docker.stopContainer(runtimeName, { graceSeconds: 10 }), asked]);
  } catch (thrown) {
    logger.warn({ reason: toAlError(thrown).message }, "the engine did not stop this runtime");
    await systemClock.sleep(RETRY_MS, signal).catch(() => undefined);
  } finally {
    docker.close();
    await transport.close();
  }
}
