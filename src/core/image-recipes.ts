import type { Architecture, ContextFile, ImageRecipe, ImageSpec } from "./desired.ts";
import { imagesUsed, rewriteDockerfile } from "./dockerfile.ts";
import { compareText, sha256, specHash } from "./fingerprint.ts";
import { imageReference } from "./names.ts";
import type { DockerfileInput, ImageAssets, ProjectInput } from "./project-input.ts";

/** Every image of one project for one architecture. */
export interface ProjectImages {
  readonly base: ImageRecipe;
  readonly runtime: ImageRecipe;
  readonly door: ImageRecipe;
  readonly ingress: ImageRecipe;
  readonly project: ImageRecipe | undefined;
  /** By agent name; only agents with a Dockerfile of their own. */
  readonly agents: ReadonlyMap<string, ImageRecipe>;
}

interface Sources {
  readonly name: string;
  readonly dockerfile: string;
  readonly source?: string;
  readonly context: readonly ContextFile[];
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly needs: readonly ImageSpec[];
}

interface Target {
  readonly project: string;
  readonly architecture: Architecture;
}

/** How each image is built: base, then the project's on it, then the agents' on that. */
export function imageRecipes(
  project: ProjectInput,
  assets: ImageAssets,
  architecture: Architecture,
): ProjectImages {
  const target = { project: project.name, architecture };
  const ours = { buildArgs: { BASE: project.baseImage }, needs: [] };
  const base = recipe(target, {
    ...ours,
    name: "base",
    dockerfile: assets.agentDockerfile,
    context: assets.agentContext,
  });
  const runtime = recipe(target, {
    ...ours,
    name: "runtime",
    dockerfile: assets.runtimeDockerfile,
    context: assets.runtimeContext,
  });
  const door = recipe(target, {
    ...ours,
    name: "door",
    dockerfile: assets.doorDockerfile,
    context: assets.doorContext,
  });
  const ingress = recipe(target, {
    ...ours,
    name: "ingress",
    dockerfile: assets.ingressDockerfile,
    context: assets.ingressContext,
  });
  const on = (name: string, file: DockerfileInput, below: ImageSpec) =>
    recipe(target, repositorySources({ name, file, below, aliases: project.baseAliases }));
  const own = project.dockerfile && on("project", project.dockerfile, base.image);
  const below = (own ?? base).image;
  const sorted = [...project.agents].sort((a, b) => compareText(a.name, b.name));
  const agents = sorted.flatMap(({ name, dockerfile }) =>
    dockerfile ? [[name, on(`agent-${name}`, dockerfile, below)] as const] : [],
  );
  return { base, runtime, door, ingress, project: own, agents: new Map(agents) };
}

/** The recipes that building `images` takes, each after those it needs. */
export function recipesFor(
  images: ProjectImages,
  wanted: readonly ImageSpec[],
): readonly ImageRecipe[] {
  const { base, runtime, door, ingress, project, agents } = images;
  const all = [base, runtime, door, ingress, ...(project ? [project] : []), ...agents.values()];
  const references = new Set(wanted.map((image) => image.reference));
  for (const candidate of [...all].reverse()) {
    if (!references.has(candidate.image.reference)) continue;
    for (const need of candidate.needs) references.add(need);
  }
  return all.filter(({ image }) => references.has(image.reference));
}

function repositorySources(from: {
  readonly name: string;
  readonly file: DockerfileInput;
  readonly below: ImageSpec;
  readonly aliases: readonly string[];
}): Sources {
  const { name, file, below, aliases } = from;
  const replacements = Object.fromEntries(aliases.map((alias) => [alias, below.reference]));
  return {
    name,
    dockerfile: rewriteDockerfile(file.text, replacements),
    source: file.path,
    context: file.context,
    buildArgs: {},
    needs: imagesUsed(file.text, aliases).length > 0 ? [below] : [],
  };
}

function recipe(target: Target, sources: Sources): ImageRecipe {
  const { name, dockerfile, source, buildArgs, needs } = sources;
  const { architecture } = target;
  const context = [...sources.context].sort((a, b) => compareText(a.path, b.path));
  const hash = specHash({
    architecture,
    dockerfile,
    context: context.map((file) => [file.path, file.executable, sha256(file.content)]),
    buildArgs,
    needs: needs.map((need) => need.specHash),
  });
  const image = { name, reference: imageReference(target.project, name, hash), specHash: hash };
  const references = needs.map((need) => need.reference);
  const made = { image, architecture, dockerfile, context, buildArgs, needs: references };
  return source === undefined ? made : { ...made, source };
}
