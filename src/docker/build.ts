import type { Readable } from "node:stream";
import { AlError } from "../base/errors.ts";
import type { ImageRecipe } from "../core/desired.ts";
import { isInstructionStep, lineOfParseError, lineOfStep } from "../core/dockerfile-step.ts";
import { LABELS } from "../core/names.ts";
import { openBuildSession } from "./build-session.ts";
import { BuildJson, decodeTrace } from "./build-trace.ts";
import { coalesce } from "./coalesce.ts";
import type { DockerClient } from "./docker-client.ts";
import { diskFull, engineError } from "./docker-errors.ts";
import { jsonObjects } from "./json-stream.ts";

/** Options of {@link buildImage}. */
export interface BuildOptions {
  readonly project: string;
  /** Labels beside project and spec hash. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Network of `RUN` instructions; `host` where the builder's bridge reaches no package mirror. */
  readonly network?: "default" | "host";
  /** Also when the builder has it. Default false. */
  readonly anew?: boolean;
  /** One line at a time: steps, and what programs print. */
  readonly onProgress?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How an image came to be on the builder. */
export type BuildOutcome =
  | {
      readonly kind: "built";
      /** Instructions that were carried out or spared. */
      readonly steps: number;
      /** Those of them that the builder's cache spared. */
      readonly cachedSteps: number;
    }
  | { readonly kind: "present" };

/**
 * Builds a recipe under its reference, with BuildKit, unless the builder has it by spec hash.
 * One build per reference and engine runs at a time in this process; others wait for it.
 * @throws AlError `image-build-failed` with the step and the end of the output, `image-missing`
 *   when an image it is built from is not there.
 */
export async function buildImage(
  docker: DockerClient,
  recipe: ImageRecipe,
  options: BuildOptions,
): Promise<BuildOutcome> {
  const name = `build ${recipe.image.reference}${options.anew ? " anew" : ""}`;
  const key = { owner: docker, name, signal: options.signal };
  return coalesce(key, () => buildUnlessPresent(docker, recipe, options));
}

async function buildUnlessPresent(
  docker: DockerClient,
  recipe: ImageRecipe,
  options: BuildOptions,
): Promise<BuildOutcome> {
  const { signal } = options;
  const { reference, specHash } = recipe.image;
  const present = await docker.inspectImage(reference, { signal });
  if (!options.anew && present?.labels[LABELS.specHash] === specHash) return { kind: "present" };
  await refuseMissingParents(docker, recipe, signal);
  const session = await openBuildSession(docker, recipe, { signal });
  try {
    const query = buildQuery(recipe, options, session.id);
    const answer = await docker.buildStream({ query, signal });
    const log = new BuildLog(options.onProgress);
    await followBuild({ docker, recipe, answer, log, signal });
    return { kind: "built", ...log.counts() };
  } finally {
    session.close();
  }
}

async function refuseMissingParents(
  docker: DockerClient,
  recipe: ImageRecipe,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const parent of recipe.needs) {
    if (await docker.inspectImage(parent, { signal })) continue;
    throw new AlError(
      `${docker.host}: ${recipe.image.reference} is built from ${parent}, which is not there`,
      {
        code: "image-missing",
        blame: "bug",
        hint: "Build the images in the order of the fleet's recipes.",
      },
    );
  }
}

function buildQuery(recipe: ImageRecipe, options: BuildOptions, session: string) {
  const labels = {
    ...options.labels,
    [LABELS.project]: options.project,
    [LABELS.specHash]: recipe.image.specHash,
  };
  return {
    // BuildKit, which takes Dockerfile and context from our session.
    version: 2,
    session,
    remote: "client-session",
    t: recipe.image.reference,
    labels: JSON.stringify(labels),
    buildargs: JSON.stringify(recipe.buildArgs),
    platform: `linux/${recipe.architecture}`,
    networkmode: options.network === "host" ? "host" : undefined,
  };
}

const KEPT_LINES = 20;
const INTERNAL_STEP = /^\[internal\]|^copy \/context/;

async function followBuild(build: {
  readonly docker: DockerClient;
  readonly recipe: ImageRecipe;
  readonly answer: Readable;
  readonly log: BuildLog;
  readonly signal: AbortSignal | undefined;
}): Promise<void> {
  const { docker, recipe, answer, log, signal } = build;
  try {
    for await (const message of jsonObjects(answer, BuildJson)) {
      if (message.error !== undefined) {
        const reason = message.errorDetail?.message ?? message.error;
        throw buildError({ host: docker.host, recipe, reason, log });
      }
      if (message.id === "moby.buildkit.trace" && typeof message.aux === "string") {
        log.add(message.aux);
      }
    }
  } catch (thrown) {
    signal?.throwIfAborted();
    throw engineError(docker.host, `build ${recipe.image.reference}`, thrown);
  }
}

/** Turns BuildKit's messages into lines, and keeps the last ones. */
class BuildLog {
  readonly tail: string[] = [];
  failedStep: string | undefined;
  readonly #announced = new Set<string>();
  /** Instructions by step, and whether they were spared. */
  readonly #instructions = new Map<string, boolean>();
  readonly #onProgress: ((line: string) => void) | undefined;

  constructor(onProgress: ((line: string) => void) | undefined) {
    this.#onProgress = onProgress;
  }

  add(trace: string): void {
    const { steps, output } = decodeTrace(trace);
    for (const step of steps) {
      if (step.error) this.failedStep = step.name;
      if (step.cached || (step.started && !this.#instructions.has(step.id))) {
        if (isInstructionStep(step.name)) this.#instructions.set(step.id, step.cached);
      }
      if (!step.started || this.#announced.has(step.id)) continue;
      this.#announced.add(step.id);
      if (!INTERNAL_STEP.test(step.name)) this.#line(step.name);
    }
    for (const text of output) {
      for (const line of text.split(/\r?\n/)) if (line.trim() !== "") this.#line(line);
    }
  }

  counts(): { readonly steps: number; readonly cachedSteps: number } {
    const spared = [...this.#instructions.values()];
    return { steps: spared.length, cachedSteps: spared.filter((cached) => cached).length };
  }

  #line(line: string): void {
    this.#onProgress?.(line);
    this.tail.push(line);
    if (this.tail.length > KEPT_LINES) this.tail.shift();
  }
}

/** `agents/dev/Dockerfile:7: ` */
function placeOf(
  { source, dockerfile }: ImageRecipe,
  reason: string,
  { failedStep }: BuildLog,
): string {
  if (source === undefined) return "";
  const line =
    (failedStep === undefined ? undefined : lineOfStep(dockerfile, failedStep)) ??
    lineOfParseError(reason);
  return line === undefined ? `${source}: ` : `${source}:${line}: `;
}

/** What a build says when the network failed it, not the Dockerfile. */
const NETWORK_TROUBLE =
  /temporary failure|timed? ?out|connection (?:reset|refused)|could not resolve|no such host|EAI_AGAIN|no route to host/i;

function buildError(failed: {
  readonly host: string;
  readonly recipe: ImageRecipe;
  readonly reason: string;
  readonly log: BuildLog;
}): AlError {
  const { host, recipe, reason, log } = failed;
  const step = log.failedStep === undefined ? "" : ` at ${log.failedStep}`;
  const what = `building ${recipe.image.reference} failed${step}`;
  const message = `${host}: ${placeOf(recipe, reason, log)}${what}: ${reason}`;
  const output = log.tail.join("\n");
  if (/no space left on device/i.test(reason + output)) return diskFull(message);
  return new AlError(output === "" ? message : `${message}\n${output}`, {
    code: "image-build-failed",
    blame: NETWORK_TROUBLE.test(reason + output) ? "transient" : "user",
    hint: "Correct the Dockerfile or its build context and commit, or run the same step with `docker build`.",
  });
}
