import type { World } from "../world/world.ts";
import { type Figure, ratioFigure } from "./figures.ts";
import { measureImageUpdate } from "./image-update.ts";

/** Figures of an image with one small layer more. */
export async function imageFigures(world: World, project: string): Promise<readonly Figure[]> {
  const update = await measureImageUpdate(world, project);
  const { deliveryMs, exportMs, peerMs, sentBytes, missingBytes } = update;
  const most = missingBytes * 1.05 + 64_000;
  return [
    ratioFigure(
      "image with one small layer more, delivered, to `docker save | ssh docker load`",
      { ours: deliveryMs, peer: peerMs },
      { text: "<= 0.1", most: 0.1 },
    ),
    ratioFigure(
      "the same with its export on the builder",
      { ours: deliveryMs + exportMs, peer: peerMs },
      { text: "reported", most: Number.POSITIVE_INFINITY },
    ),
    {
      name: `bytes sent for it, of ${missingBytes} missing`,
      value: String(sentBytes),
      goal: `<= ${Math.round(most)}`,
      met: sentBytes <= most,
    },
  ];
}
