import { measureDevLoop } from "./dev-loop.ts";
import type { Figure } from "./figures.ts";
import { measureFreshDemo } from "./fresh-demo.ts";
import { measurePlanScale } from "./plan-scale.ts";

type Say = (line: string) => void;

/** Figures of planning a large fleet in one process. */
export async function planScaleFigures(): Promise<readonly Figure[]> {
  const { hosts, placements, ms, cpuMs, peakMegabytes } = await measurePlanScale();
  return [
    {
      name: `plan of ${hosts} hosts x ${placements} placements (${cpuMs.toFixed(0)} ms of processor time)`,
      value: `${ms.toFixed(0)} ms`,
      goal: "<= 1000 ms",
      met: ms <= 1000,
    },
    {
      name: "largest memory of that process",
      value: `${peakMegabytes.toFixed(0)} MB`,
      goal: "<= 250 MB",
      met: peakMegabytes <= 250,
    },
  ];
}

/** Figures of files saved under `al dev`. */
export async function devLoopFigures(say: Say): Promise<readonly Figure[]> {
  const { medianMs, worstMs, saves } = await measureDevLoop(say);
  const name = `al dev, end of save to live (median of ${saves}, worst ${worstMs} ms)`;
  return [{ name, value: `${medianMs} ms`, goal: "< 1000 ms", met: medianMs < 1000 }];
}

/** The demonstration as a newcomer starts it. */
export async function freshDemoFigures(say: Say): Promise<readonly Figure[]> {
  const { seconds, ok } = await measureFreshDemo(say);
  return [
    {
      name: "npm run demo from a fresh clone, npm ci included",
      value: ok ? `${seconds.toFixed(0)} s` : "failed",
      goal: "<= 300 s",
      met: ok && seconds <= 300,
    },
  ];
}
