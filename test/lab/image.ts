import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { AlError } from "../../src/base/errors.ts";
import { type SetupOptions, withLock } from "./cache.ts";
import { tail } from "./command.ts";

/** One file of a build context. */
export interface ContextFile {
  readonly path: string;
  readonly content: string | Buffer;
  /** Default 0644. */
  readonly mode?: number;
}

/** What an image of the lab is made of; its tag is the hash of all of it. */
export interface ImageRecipe {
  /** `al-lab/base`. */
  readonly repository: string;
  /** Goes before the hash in the tag. */
  readonly label: string;
  readonly dockerfile: string;
  readonly files: () => Promise<readonly ContextFile[]>;
  /** Everything about the files that changes the image, without reading big ones. */
  readonly identity: string;
}

/** True when the engine has an image of this name. */
export async function hasImage(docker: Docker, name: string): Promise<boolean> {
  return docker
    .getImage(name)
    .inspect()
    .then(
      () => true,
      (thrown: { statusCode?: number }) => {
        if (thrown.statusCode === 404) return false;
        throw thrown;
      },
    );
}

/** Builds an image unless the engine has it, RUN with the machine's network; returns its name. */
export async function ensureImage(
  docker: Docker,
  recipe: ImageRecipe,
  options: SetupOptions,
): Promise<string> {
  const hash = createHash("sha256").update(`${recipe.dockerfile}\0${recipe.identity}`);
  const name = `${recipe.repository}:${recipe.label}-${hash.digest("hex").slice(0, 12)}`;
  if (await hasImage(docker, name)) return name;
  await withLock(name.replaceAll(/[/:]/g, "-"), options, async () => {
    if (await hasImage(docker, name)) return;
    options.log(`building ${name}`);
    await build(docker, name, await contextOf(recipe));
    await prune(docker, `${recipe.repository}:${recipe.label}-${"?".repeat(12)}`);
  });
  return name;
}

/** A tar of a build context, for Docker's build API. */
async function contextOf(recipe: ImageRecipe): Promise<NodeJS.ReadableStream> {
  const files = await recipe.files();
  const tar = pack();
  tar.entry({ name: "Dockerfile" }, recipe.dockerfile);
  for (const { path, content, mode = 0o644 } of files) tar.entry({ name: path, mode }, content);
  tar.finalize();
  return Readable.from(tar);
}

async function build(docker: Docker, name: string, context: NodeJS.ReadableStream): Promise<void> {
  const stream = await docker.buildImage(context, {
    t: name,
    networkmode: "host",
    forcerm: true,
    labels: { "action-llama-lab": "image" },
  });
  let output = "";
  const onProgress = (event: { stream?: string }) => {
    output += event.stream ?? "";
  };
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error) => (error ? reject(buildError(name, error, output)) : resolve()),
      onProgress,
    );
  });
}

/** Old recipes pile up: the newest three stay, and those in use. */
async function prune(docker: Docker, reference: string): Promise<void> {
  const images = await docker.listImages({ filters: { reference: [reference] } });
  for (const { Id } of images.sort((a, b) => b.Created - a.Created).slice(3)) {
    await docker
      .getImage(Id)
      .remove()
      .catch(() => undefined);
  }
}

function buildError(name: string, cause: Error, output: string): AlError {
  return new AlError(`building ${name} failed: ${cause.message}\n${tail(output)}`, {
    code: "lab-build-failed",
    blame: "user",
    hint: "The lab needs Debian's package mirror within reach, at build time only.",
    cause,
  });
}
