import {
  baseExpectations,
  type PackageManager,
  packageManagerOf,
} from "../core/package-managers.ts";
import type { DockerfileInput } from "../core/project-input.ts";
import type { Problem } from "./problems.ts";

/** What our own images start from where config.toml does not say. */
export const DEFAULT_BASE_IMAGE = "node:24-slim";

/** The same for projects whose Dockerfiles call apk. */
export const ALPINE_BASE_IMAGE = "node:24-alpine";

interface Call {
  readonly file: string;
  readonly line: number;
  readonly manager: PackageManager;
}

/**
 * Chooses the base image and checks that the Dockerfiles call the package manager it has.
 * Without `[images] base`, apk in a Dockerfile chooses Alpine.
 */
export function checkBaseImage(
  config: { readonly base: string | undefined; readonly aliases: readonly string[] },
  project: DockerfileInput | undefined,
  agents: readonly DockerfileInput[],
): { readonly image: string; readonly problems: readonly Problem[] } {
  const configured = config.base;
  const find = (file: DockerfileInput) => ({
    file,
    ...baseExpectations(file.text, config.aliases),
  });
  const own = project && find(project);
  const below = own && !own.endsOnBase ? [] : agents.map(find);
  const calls = [...(own ? [own] : []), ...below].flatMap(({ file, uses }) =>
    uses.map((use): Call => ({ file: file.path, ...use })),
  );
  const apk = calls.find(({ manager }) => manager === "apk");
  const image = configured ?? (apk ? ALPINE_BASE_IMAGE : DEFAULT_BASE_IMAGE);
  const has = packageManagerOf(image);
  const wrong = has === undefined ? [] : calls.filter(({ manager }) => manager !== has);
  const chosenBy = configured === undefined && apk ? `${apk.file}:${apk.line}` : undefined;
  return { image, problems: wrong.map((call) => mismatch(call, image, chosenBy)) };
}

function mismatch(call: Call, image: string, chosenBy: string | undefined): Problem {
  const { file, line, manager } = call;
  if (manager === "apk") {
    const message = `calls apk, but the base image is ${image}, which is not Alpine`;
    const hint = `use apt-get, or set base = "${ALPINE_BASE_IMAGE}" in [images] of config.toml`;
    return { file, line, message, hint };
  }
  const because = chosenBy ? ` because ${chosenBy} calls apk` : "";
  const message = `calls apt, but the base image is ${image}${because}`;
  const hint = chosenBy
    ? "use the same one everywhere"
    : `use apk, or set base = "${DEFAULT_BASE_IMAGE}" in [images] of config.toml`;
  return { file, line, message, hint };
}
