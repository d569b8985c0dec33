import { stdout } from "node:process";
import { buildProject } from "../../src/build.ts";
import { addCredential } from "../world/home.ts";
import { writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail, type World } from "../world/world.ts";
import { measureDevLoop } from "./dev-loop.ts";
import { measureFreshDemo } from "./fresh-demo.ts";
import { imageFigures } from "./image-figures.ts";
import { manyHostsFigures } from "./many-figures.ts";
import { noOpFigures } from "./no-op-figures.ts";
import { measurePlanScale } from "./plan-scale.ts";
import { measurePromptOnly } from "./prompt-only.ts";
import { measureRoundTrips } from "./round-trips.ts";
import { firstRequestFigures, imageSizeFigures, runLeakFigures } from "./run-figures.ts";

/** One measured figure beside what it is held to. */
interface Figure {
  readonly name: string;
  readonly value: string;
  readonly goal: string;
  readonly met: boolean;
}

const PROJECT = "bench";
const say = (line: string) => stdout.write(`${line}\n`);

const figures: Figure[] = [];
await buildProject();
const world = await createWorld("bench", say);
try {
  await deploy(world);
  await measured("prompt-only commits", () => promptOnly(world));
  await measured("round trips of a no-op pass", () => roundTrips(world));
  await measured("image update, against docker save", async () => {
    figures.push(...(await imageFigures(world, PROJECT)));
  });
  await measured("no-op pass, against ansible-playbook", async () => {
    figures.push(...(await noOpFigures(world, say)));
  });
  await measured("50 simulated hosts", async () => {
    figures.push(...(await manyHostsFigures(world)));
  });
} finally {
  await world.remove(PROJECT);
}
await measured("plans of a large fleet", planScale);
await measured("trigger to first model request", async () => {
  figures.push(...(await firstRequestFigures()));
});
await measured("size of the agent image", async () => {
  figures.push(...(await imageSizeFigures(say)));
});
await measured("what runs leave behind", async () => {
  figures.push(...(await runLeakFigures()));
});
await measured("al dev", devLoop);
await measured("demonstration from a fresh clone", freshDemo);
report();

/** One part of the benchmark; a part that fails is a figure too, and stops no other. */
async function measured(name: string, work: () => Promise<void>): Promise<void> {
  say(`measuring: ${name}`);
  try {
    await work();
  } catch (thrown) {
    say(`FAILED: ${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    figures.push({ name, value: "failed", goal: "measured", met: false });
  }
}

async function deploy({ home, copy, host, lab, approveAll, al }: World): Promise<void> {
  say("deploying a sample project to a lab host");
  await addCredential(home, "anthropic_key/default/token", "sk-not-used");
  await writeSampleProject(copy, {
    project: PROJECT,
    baseImage: lab.baseImage,
    host: { name: "one", address: host.address, port: host.port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: "http://127.0.0.1:9" },
  });
  await copy.commit("first");
  await copy.push();
  await approveAll();
  orFail(await al("apply"));
}

async function promptOnly(on: World): Promise<void> {
  const { medianMs, worstMs, pushes, builds } = await measurePromptOnly(on);
  figures.push({
    name: `prompt-only commit, end of push to live (median of ${pushes}, worst ${worstMs} ms)`,
    value: `${medianMs} ms`,
    goal: "<= 2000 ms",
    met: medianMs <= 2000,
  });
  figures.push({
    name: "image builds and deliveries for them",
    value: String(builds),
    goal: "0",
    met: builds === 0,
  });
}

async function roundTrips(on: World): Promise<void> {
  const { cold, warm, coldMs, warmMs } = await measureRoundTrips(on);
  const figure = (name: string, value: number, ms: number, most: number) =>
    figures.push({
      name: `round trips of a no-op pass, ${name} (${ms.toFixed(0)} ms without delay)`,
      value: value.toFixed(1),
      goal: `<= ${most}`,
      met: value <= most,
    });
  figure("cold: connecting included", cold, coldMs, 10);
  figure("warm: on an open connection", warm, warmMs, 3);
}

async function planScale(): Promise<void> {
  const { hosts, placements, ms, cpuMs, peakMegabytes } = await measurePlanScale();
  figures.push({
    name: `plan of ${hosts} hosts x ${placements} placements (${cpuMs.toFixed(0)} ms of processor time)`,
    value: `${ms.toFixed(0)} ms`,
    goal: "<= 1000 ms",
    met: ms <= 1000,
  });
  figures.push({
    name: "largest memory of that process",
    value: `${peakMegabytes.toFixed(0)} MB`,
    goal: "<= 250 MB",
    met: peakMegabytes <= 250,
  });
}

async function devLoop(): Promise<void> {
  const { medianMs, worstMs, saves } = await measureDevLoop(say);
  figures.push({
    name: `al dev, end of save to live (median of ${saves}, worst ${worstMs} ms)`,
    value: `${medianMs} ms`,
    goal: "< 1000 ms",
    met: medianMs < 1000,
  });
}

async function freshDemo(): Promise<void> {
  const { seconds, ok } = await measureFreshDemo(say);
  figures.push({
    name: "npm run demo from a fresh clone, npm ci included",
    value: ok ? `${seconds.toFixed(0)} s` : "failed",
    goal: "<= 300 s",
    met: ok && seconds <= 300,
  });
}

function report(): void {
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const { name, value, goal, met } of figures) {
    const verdict = met ? "" : "   NOT REACHED";
    say(`${name.padEnd(width)}  ${value.padStart(9)}  ${goal}${verdict}`);
  }
  say(JSON.stringify({ figures }));
}
