import process, { argv, stdout } from "node:process";
import { buildProject } from "../../src/build.ts";
import { addCredential } from "../world/home.ts";
import { writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail, type World } from "../world/world.ts";
import type { Figure } from "./figures.ts";
import { imageFigures } from "./image-figures.ts";
import { promptOnlyFigures, roundTripFigures } from "./line-figures.ts";
import { manyHostsFigures } from "./many-figures.ts";
import { noOpFigures } from "./no-op-figures.ts";
import { devLoopFigures, freshDemoFigures, planScaleFigures } from "./own-figures.ts";
import {
  entryCpuFigures,
  firstRequestFigures,
  imageSizeFigures,
  runLeakFigures,
} from "./run-figures.ts";
import {
  idleMemoryFigures,
  killFigures,
  lockFigures,
  longQueueFigures,
  webhookFigures,
} from "./runtime-figures.ts";

// `npm run bench [-- WORD...]`: measures every part, or those whose name has one of the words.

const PROJECT = "bench";
const say = (line: string) => stdout.write(`${line}\n`);

/** What is measured on a lab host that a sample project was deployed to. */
const onHost: Readonly<Record<string, (world: World) => Promise<readonly Figure[]>>> = {
  "prompt-only commits": promptOnlyFigures,
  "round trips": roundTripFigures,
  "image update": (world) => imageFigures(world, PROJECT),
  "no-op fleet": (world) => noOpFigures(world, say),
  "many hosts": manyHostsFigures,
};

/** What sets up everything it needs. */
const alone: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  "plan scale": planScaleFigures,
  "first model request": firstRequestFigures,
  "entry program": entryCpuFigures,
  "image size": () => imageSizeFigures(say),
  "run leftovers": runLeakFigures,
  webhooks: webhookFigures,
  kills: () => killFigures(say),
  locks: lockFigures,
  "idle memory": idleMemoryFigures,
  "long queue": longQueueFigures,
  "al dev": () => devLoopFigures(say),
  "fresh demo": () => freshDemoFigures(say),
};

const words = argv.slice(2);
const isWanted = ([name]: readonly [string, unknown]) =>
  words.length === 0 || words.some((word) => name.includes(word));
const partsOnHost = Object.entries(onHost).filter(isWanted);
const partsAlone = Object.entries(alone).filter(isWanted);
const figures: Figure[] = [];
if (partsOnHost.length + partsAlone.length === 0) {
  say(`nothing to measure by that name; parts: ${Object.keys({ ...onHost, ...alone }).join(", ")}`);
  process.exit(2);
}

await buildProject();
if (partsOnHost.length > 0) await inWorld(partsOnHost);
for (const [name, measure] of partsAlone) await part(name, measure);
report();

async function inWorld(parts: typeof partsOnHost): Promise<void> {
  const world = await createWorld("bench", say);
  try {
    await deploy(world);
    for (const [name, measure] of parts) await part(name, () => measure(world));
  } finally {
    await world.remove(PROJECT);
  }
}

/** One part of the benchmark; a part that fails is a figure too, and stops no other. */
async function part(name: string, measure: () => Promise<readonly Figure[]>): Promise<void> {
  say(`measuring: ${name}`);
  try {
    figures.push(...(await measure()));
  } catch (thrown) {
    say(`FAILED: ${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    figures.push({ name, value: "failed", goal: "measured", met: false });
    process.exitCode = 1;
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

function report(): void {
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const { name, value, goal, met } of figures) {
    const verdict = met ? "" : "   NOT REACHED";
    say(`${name.padEnd(width)}  ${value.padStart(9)}  ${goal}${verdict}`);
  }
  say(JSON.stringify({ figures }));
}
