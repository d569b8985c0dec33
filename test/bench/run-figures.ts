import { measureAgentImageSize } from "./agent-image-size.ts";
import { measureEntryCpu } from "./entry-cpu.ts";
import { type Figure, ratioFigure } from "./figures.ts";
import { measureFirstRequest } from "./first-request.ts";
import { measureRunLeaks } from "./run-leaks.ts";

/** How soon a triggered run asks its model. */
export async function firstRequestFigures(): Promise<readonly Figure[]> {
  const { oursMs, peerMs, runs } = await measureFirstRequest();
  return [
    ratioFigure(
      `trigger to first model request, to \`docker run\` of \`node -e 0\` (medians of ${runs})`,
      { ours: oursMs, peer: peerMs },
      { text: "<= 2", most: 2 },
    ),
  ];
}

/** What the entry program costs a run. */
export async function entryCpuFigures(): Promise<readonly Figure[]> {
  const { ms, nodeMs, runs } = await measureEntryCpu();
  const own = ms - nodeMs;
  return [
    {
      name: `entry program's processor time in a short run, beyond the ${nodeMs.toFixed(0)} ms of \`node -e 0\` (median of ${runs})`,
      value: `${own.toFixed(0)} ms`,
      goal: "<= 400 ms",
      met: own <= 400,
    },
  ];
}

/** What our agent image adds to its base. */
export async function imageSizeFigures(say: (line: string) => void): Promise<readonly Figure[]> {
  const { slimMb, completeMb } = await measureAgentImageSize(say);
  const figure = (on: string, megabytes: number): Figure => ({
    name: `agent image, beyond ${on}`,
    value: `${megabytes.toFixed(0)} MB`,
    goal: "<= 90 MB",
    met: megabytes <= 90,
  });
  return [
    figure("a base like node's slim image (git, curl, jq and ssh included)", slimMb),
    figure("a base that has these", completeMb),
  ];
}

/** What many runs leave behind. */
export async function runLeakFigures(): Promise<readonly Figure[]> {
  const { runs, memoryMb, ...left } = await measureRunLeaks();
  // A connection more or less is no leak, one for every few runs is.
  const things = Object.entries(left).filter(
    ([name, more]) => more > (name === "descriptors" ? runs / 10 : 0),
  );
  return [
    {
      name: `left of ${runs} short runs: containers, volumes, networks, files, open files`,
      value: things.map(([name, more]) => `${more} ${name}`).join(", ") || "nothing",
      goal: "nothing",
      met: things.length === 0,
    },
    {
      name: `the runtime's memory, more than before these ${runs} runs`,
      value: `${memoryMb.toFixed(1)} MB`,
      goal: "<= 10 MB",
      met: memoryMb <= 10,
    },
  ];
}
