import { join } from "node:path";
import { AlError } from "../../base/errors.ts";
import { desireFleet } from "../../core/desire.ts";
import type { FleetSpec, ImageRecipe } from "../../core/desired.ts";
import { agentsOf } from "../../core/placed-agents.ts";
import type { BuildOutcome } from "../../docker/build.ts";
import { openBuilders } from "../builders.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { readImageAssets } from "../image-assets.ts";
import { openImageBuilds } from "../image-builds.ts";
import { openProject } from "../project.ts";
import { type BuiltImage, buildBoard, builtLines, builtRecord } from "../render/build.ts";
import { onThisMachine } from "../this-machine.ts";
import { openWorkingProject } from "../working-project.ts";
import { unknownAgent } from "./live-runtime.ts";

/** Which images `al build` builds. */
export interface BuildOptions {
  /** Only the images that this agent runs on; all agents' by default. */
  readonly agent?: string | undefined;
  /** From the working tree, as `al dev` would, instead of the commit. */
  readonly dev: boolean;
}

/** `al build [AGENT]`: builds the images of base, project and agents on this machine's engine. */
export async function build(context: CliContext, options: BuildOptions): Promise<number> {
  const { output, signal } = context;
  const fleet = await localFleet(context, options);
  const recipes = recipesOf(fleet, options.agent);
  const builders = openBuilders({ socketPath: context.dockerSocket, connect: onlyHere });
  const cacheDir = join(context.home, "controller", "images");
  const builds = openImageBuilds({ project: fleet.project, builders, cacheDir });
  const board = buildBoard(output, recipes);
  const outcomes = new Map<string, BuildOutcome>();
  try {
    const call = {
      ...{ host: "this machine", recipes: fleet.recipes, wanted: recipes, signal },
      onProgress: board.progress,
      onOutcome: ({ reference }: ImageRecipe["image"], outcome: BuildOutcome) => {
        outcomes.set(reference, outcome);
        board.done(reference);
      },
    };
    const engine = await builds.engineFor(recipes[0] as ImageRecipe, call);
    const built = await builds.build(engine, recipes, call, () =>
      Promise.all(recipes.map(({ image }) => lookAt(engine.docker, image, outcomes))),
    );
    board.end();
    for (const one of built) output.record(builtRecord(one));
    for (const line of builtLines(built)) output.line(line);
    return EXIT.done;
  } finally {
    board.end();
    builders.close();
  }
}

/** The project as if all of it ran here: for this machine's architecture, built by its engine. */
async function localFleet(context: CliContext, { dev }: BuildOptions): Promise<FleetSpec> {
  const assets = await readImageAssets();
  if (!dev) {
    const { config, fleet, warnings } = await openProject(context);
    for (const warning of warnings) context.output.progress(`warning: ${warning}`);
    return desireFleet(onThisMachine(config), assets, fleet.revision);
  }
  const working = openWorkingProject(context, { environment: context.environment, assets });
  await working.look();
  const desired = await working.desired();
  if (desired.kind === "fleet") return desired.fleet;
  throw new AlError(`the working tree is not a valid project:\n${desired.report}`, {
    code: "invalid-project",
    blame: "user",
    hint: "Mend these, and try again.",
  });
}

/** What agents run on, each after what it is built from; the images of runtime, door and ingress are no part of it. */
function recipesOf({ recipes, hosts }: FleetSpec, agent?: string): readonly ImageRecipe[] {
  const ours = recipes.filter(({ image }) => !["runtime", "door", "ingress"].includes(image.name));
  if (agent === undefined) return ours;
  const known = hosts.flatMap(({ spec }) => agentsOf(spec));
  if (!known.includes(agent)) throw unknownAgent(agent, known);
  const named = (name: string) => ours.find(({ image }) => image.name === name);
  const own = named(`agent-${agent}`) ?? named("project") ?? named("base");
  const needed = new Set<string>();
  const need = (recipe: ImageRecipe | undefined) => {
    if (!recipe) return;
    needed.add(recipe.image.reference);
    for (const below of recipe.needs) need(ours.find(({ image }) => image.reference === below));
  };
  need(own);
  return ours.filter(({ image }) => needed.has(image.reference));
}

async function lookAt(
  docker: { inspectImage(reference: string): Promise<{ sizeBytes: number } | undefined> },
  { name, reference }: ImageRecipe["image"],
  outcomes: ReadonlyMap<string, BuildOutcome>,
): Promise<BuiltImage> {
  const found = await docker.inspectImage(reference);
  if (!found) {
    throw new AlError(`${reference} went away while others were built`, {
      code: "image-missing",
      blame: "transient",
    });
  }
  const { sizeBytes } = found;
  return { name, reference, sizeBytes, ...(outcomes.get(reference) ?? { kind: "present" }) };
}

/** Nothing here is built elsewhere. */
async function onlyHere(): Promise<never> {
  throw new AlError("al build asked for another machine", { code: "unclassified", blame: "bug" });
}
