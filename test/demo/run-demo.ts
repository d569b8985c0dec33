import { raceAbort } from "../../src/base/deadline.ts";
import { buildProject } from "../../src/build.ts";
import { type ControllerProcess, startController } from "../world/controller.ts";
import { addCredential } from "../world/home.ts";
import { createWorld, orFail, type World } from "../world/world.ts";
import { type DemoModel, openModel } from "./model.ts";
import { AGENT, changeInstructions, fillRepository, PROJECT, SCRIPT, WORDS } from "./project.ts";
import type { Say, Steps } from "./steps.ts";

/** How the demonstration is run. */
export interface DemoOptions {
  /** Leave everything it made, for a look around. */
  readonly keep: boolean;
  /** Ends it early; what it made is removed all the same. */
  readonly signal: AbortSignal;
}

interface Stage {
  world?: World;
  model?: DemoModel;
  controller?: ControllerProcess;
}

/** Shows the main job step by step; returns facts for the summary. */
export async function runDemo(
  steps: Steps,
  { keep, signal }: DemoOptions,
): Promise<Record<string, unknown>> {
  const stage: Stage = {};
  try {
    return await raceAbort(perform(steps, stage), signal);
  } finally {
    stage.controller?.kill(keep ? "SIGTERM" : "SIGKILL");
    if (keep && stage.world) await steps.step("keep", (say) => describeKept(stage.world, say));
    else await steps.step("remove everything", () => removeStage(stage));
  }
}

async function perform(steps: Steps, stage: Stage): Promise<Record<string, unknown>> {
  await steps.step("build", async () => void (await buildProject()));
  const world = await steps.step(
    "lab: engine, base image, a host with its own sshd and dockerd",
    (say) => createWorld("demo", say),
  );
  stage.world = world;
  const model = await steps.step("model", (say) => chooseModel(world, say));
  stage.model = model;
  const controller = await steps.step("start the controller on an empty repository", (say) =>
    openController(world, say),
  );
  stage.controller = controller;
  await steps.step("push the first commit", (say) => firstCommit(world, model, say));
  await steps.step("approve the host's key and the credential", (say) => approve(stage, say));
  const deployed = await steps.step("deploy: images, release, credentials, runtime", (say) =>
    untilLive(stage, 0, say),
  );
  await steps.step("trigger the agent", (say) => runAgent(world, model, WORDS.first, say));
  const change = await steps.step("push a commit that changes only ACTIONS.md", (say) =>
    pushChange(stage, say),
  );
  await steps.step("trigger it again", (say) => runAgent(world, model, WORDS.second, say));
  await steps.step("al plan", (say) => nothingToDo(world, say));
  await controller.stop();
  return {
    model: model.name,
    deployActions: deployed.actions.length,
    promptOnly: { pushToLiveMs: change.ms, actions: change.actions, imageBuilds: change.builds },
  };
}

async function chooseModel(world: World, say: Say): Promise<DemoModel> {
  const model = await openModel(world.host.gatewayAddress, SCRIPT);
  say(model.name);
  await addCredential(world.home, `${model.provider}_key/default/token`, model.key);
  return model;
}

async function openController(world: World, say: Say): Promise<ControllerProcess> {
  say(`al controller --source ${world.bare}`);
  const controller = startController(world.bare, world.options);
  await controller.until("watching an empty repository", ({ kind }) => kind === "empty");
  return controller;
}

async function firstCommit(world: World, model: DemoModel, say: Say): Promise<void> {
  await fillRepository(world, model);
  say(`git commit: ${await world.copy.commit("First agents")}`);
  await world.copy.push();
}

async function approve({ world, controller }: Stage, say: Say): Promise<void> {
  if (!world || !controller) return;
  await controller.until("asking for approval", ({ kind, result }) => {
    return kind === "result" && (result as { kind: string }).kind === "approval-needed";
  });
  await world.approveAll(say);
}

interface Deployment {
  readonly atMs: number;
  readonly actions: readonly string[];
  /** Images that were delivered, hence built or taken from the builder. */
  readonly builds: number;
}

/** Waits until the controller reports a confirmed revision; shows what it did. */
async function untilLive({ controller }: Stage, from: number, say: Say): Promise<Deployment> {
  if (!controller) throw new Error("there is no controller");
  const isEnd = (event: Record<string, unknown>) =>
    event.kind === "result" &&
    ["applied", "failed", "unreachable"].includes((event.result as { kind: string }).kind);
  const { atMs, event } = await controller.until("the host to be confirmed", isEnd, {
    from,
    timeoutMs: 600_000,
  });
  const result = event.result as { kind: string; error?: { message: string } };
  if (result.kind !== "applied") throw new Error(result.error?.message ?? result.kind);
  const finished = controller.lines
    .slice(from)
    .filter(({ event: { kind } }) => kind === "action-finished");
  const actions = finished.map(({ event: { action, ms } }) => {
    const { step, reason } = action as { step: { kind: string }; reason: string };
    say(`${step.kind} (${ms} ms): ${reason}`);
    return step.kind;
  });
  say(`confirmed at revision ${String(event.revision).slice(0, 12)}`);
  return { atMs, actions, builds: actions.filter((kind) => kind === "deliver-image").length };
}

async function pushChange(stage: Stage, say: Say): Promise<Deployment & { readonly ms: number }> {
  const { world, controller } = stage;
  if (!world || !controller) throw new Error("there is no controller");
  await changeInstructions(world.copy);
  say(`git commit: ${await world.copy.commit("Change the instructions")}`);
  const from = controller.lines.length;
  const pushed = await world.copy.push();
  const live = await untilLive(stage, from, say);
  const ms = live.atMs - pushed;
  say(`live ${ms} ms after the end of git push, with ${live.builds} image builds`);
  if (live.builds > 0) throw new Error("a change of instructions must not touch an image");
  return { ...live, ms };
}

async function runAgent(world: World, model: DemoModel, word: string, say: Say): Promise<void> {
  say(`al run ${AGENT} --follow`);
  const options = { ...world.options, onLine: say };
  const { stdout } = orFail(await world.alWith(options, "run", AGENT, "--follow"));
  if (!/ {2}\$ /.test(stdout)) throw new Error("the agent did not use its bash tool");
  if (model.scripted && !stdout.includes(word)) {
    throw new Error(`the run does not know the instructions of its revision: no "${word}"`);
  }
}

async function nothingToDo(world: World, say: Say): Promise<void> {
  orFail(await world.alWith({ ...world.options, onLine: say }, "plan"));
}

async function describeKept(world: World | undefined, say: Say): Promise<void> {
  if (!world) return;
  const { home, bare, host, options } = world;
  say(`host ${host.address}, container ${host.containerName}; repository ${bare}`);
  say(`HOME=${home} DOCKER_HOST=unix://${options.dockerSocket} node dist/al.js -p ${bare} status`);
  say("The scripted model ends with this process. `npm run demo` without --keep removes all this.");
}

async function removeStage({ world, model, controller }: Stage): Promise<void> {
  await controller?.stop();
  await model?.close();
  await world?.remove(PROJECT);
}
