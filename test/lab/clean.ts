import { settleBounded } from "../../src/base/concurrency.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { checkoutId, labels, mayRemove } from "./names.ts";

type Labelled = { readonly Labels?: Record<string, string> | null | undefined };

/**
 * Removes this checkout's containers, volumes and networks: those of runs that this process began
 * and of runs whose process died. Other runs that live are left alone, and so are images.
 */
export async function cleanLab(engine: Engine): Promise<void> {
  const docker = connectEngine(engine);
  const filters = { label: [`${labels.checkout}=${checkoutId}`] };
  const containers = (await docker.listContainers({ all: true, filters })).filter(isLeftover);
  await settleBounded(containers, 4, ({ Id }) =>
    docker.getContainer(Id).remove({ force: true, v: true }),
  );
  const volumes = (await docker.listVolumes({ filters })).Volumes ?? [];
  await settleBounded(volumes.filter(isLeftover), 4, ({ Name }) =>
    docker.getVolume(Name).remove({ force: true }),
  );
  const networks = (await docker.listNetworks({ filters })).filter(isLeftover);
  await settleBounded(networks, 4, ({ Id }) => docker.getNetwork(Id).remove());
}

function isLeftover({ Labels }: Labelled): boolean {
  return mayRemove(Labels?.[labels.owner] ?? "");
}
