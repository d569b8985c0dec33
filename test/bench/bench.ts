import { stdout } from "node:process";
import { buildProject } from "../../src/build.ts";
import { addCredential } from "../world/home.ts";
import { writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail, type World } from "../world/world.ts";
import { measureFreshDemo } from "./fresh-demo.ts";
import { imageFigures } from "./image-figures.ts";
import { manyHostsFigures } from "./many-figures.ts";
import { noOpFigures } from "./no-op-figures.ts";
import { measurePromptOnly } from "./prompt-only.ts";
import { measureRoundTrips } from "./round-trips.ts";

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
  await promptOnly(world);
  await roundTrips(world);
  say("comparing with docker save, with ansible-playbook, and applying to 50 simulated hosts");
  figures.push(...(await imageFigures(world, PROJECT)));
  figures.push(...(await noOpFigures(world, say)));
  figures.push(...(await manyHostsFigures(world)));
} finally {
  await world.remove(PROJECT);
}
await freshDemo();
report();

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
  say("pushing commits that change only ACTIONS.md");
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
  say("counting round trips of a pass that finds nothing to do");
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

async function freshDemo(): Promise<void> {
  say("running the demonstration from a fresh clone");
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
