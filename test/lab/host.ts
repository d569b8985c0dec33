import { connectEngine, type Engine } from "./engine.ts";
import { createHostContainer, type HostOptions } from "./host-container.ts";
import { LabHost } from "./lab-host.ts";
import { ensureSeed } from "./seed.ts";

/**
 * Starts a real host: a container with its own sshd and dockerd, an address and a host key.
 * Resolves when sshd has sent its banner and dockerd answers; a failed start leaves nothing.
 */
export async function startHost(engine: Engine, options: HostOptions): Promise<LabHost> {
  const docker = connectEngine(engine);
  const volumes = options.preload?.length ? { seed: await ensureSeed(engine, options) } : {};
  const container = await createHostContainer(docker, engine, { ...options, volumes });
  const host = new LabHost(docker, container);
  try {
    await host.start();
    return host;
  } catch (thrown) {
    await host.stop();
    throw thrown;
  }
}
