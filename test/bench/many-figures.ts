import type { World } from "../world/world.ts";
import type { Figure } from "./figures.ts";
import { measureManyHosts } from "./many-hosts.ts";

/** Figures of one process that applies to many hosts at the same time. */
export async function manyHostsFigures(world: World): Promise<readonly Figure[]> {
  const { hosts, peakBytes, cpuMsPerHost, ms } = await measureManyHosts(world);
  const reported = { goal: "reported", met: true };
  return [
    {
      name: `\`al apply\` to ${hosts} empty hosts at once, peak memory (${(ms / 1000).toFixed(0)} s)`,
      value: `${Math.round(peakBytes / 2 ** 20)} MiB`,
      ...reported,
    },
    {
      name: "the same: processor time per host",
      value: `${cpuMsPerHost.toFixed(0)} ms`,
      ...reported,
    },
  ];
}
