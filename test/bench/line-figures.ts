import type { World } from "../world/world.ts";
import type { Figure } from "./figures.ts";
import { measurePromptOnly } from "./prompt-only.ts";
import { measureRoundTrips } from "./round-trips.ts";

/** Figures of commits that change one ACTIONS.md. */
export async function promptOnlyFigures(world: World): Promise<readonly Figure[]> {
  const { medianMs, worstMs, pushes, builds } = await measurePromptOnly(world);
  return [
    {
      name: `prompt-only commit, end of push to live (median of ${pushes}, worst ${worstMs} ms)`,
      value: `${medianMs} ms`,
      goal: "<= 2000 ms",
      met: medianMs <= 2000,
    },
    {
      name: "image builds and deliveries for them",
      value: String(builds),
      goal: "0",
      met: builds === 0,
    },
  ];
}

/** Figures of passes over one host that find nothing to do. */
export async function roundTripFigures(world: World): Promise<readonly Figure[]> {
  const { cold, warm, coldMs, warmMs } = await measureRoundTrips(world);
  const figure = (name: string, value: number, ms: number, most: number): Figure => ({
    name: `round trips of a no-op pass, ${name} (${ms.toFixed(0)} ms without delay)`,
    value: value.toFixed(1),
    goal: `<= ${most}`,
    met: value <= most,
  });
  return [
    figure("cold: connecting included", cold, coldMs, 10),
    figure("warm: on an open connection", warm, warmMs, 3),
  ];
}
