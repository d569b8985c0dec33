import type { World } from "../world/world.ts";
import { type Figure, ratioFigure } from "./figures.ts";
import { measureNoOpFleet } from "./no-op-fleet.ts";

/** Figures of a pass over two hosts that finds nothing to do. */
export async function noOpFigures(
  world: World,
  log: (line: string) => void,
): Promise<readonly Figure[]> {
  const { planMs, warmMs, peerMs, agents } = await measureNoOpFleet(world, log);
  const on = `${agents.join(" and ")} agents with 5 credentials, to ansible-playbook`;
  return [
    ratioFigure(
      `nothing to do: \`al plan\`, the whole process, on 2 hosts of ${on}`,
      { ours: planMs, peer: peerMs },
      { text: "<= 0.25", most: 0.25 },
    ),
    ratioFigure(
      "the same: a warm pass in the controller",
      { ours: warmMs, peer: peerMs },
      { text: "<= 0.02", most: 0.02 },
    ),
  ];
}
