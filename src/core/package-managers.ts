import { type DockerfileInstruction, parseDockerfile } from "./dockerfile-parse.ts";

/** The package managers that tell Alpine from Debian. */
export type PackageManager = "apk" | "apt";

/** A call of a package manager in a stage built on our base image. */
export interface PackageManagerUse {
  readonly manager: PackageManager;
  /** 1-based, the physical line. */
  readonly line: number;
}

/** What a Dockerfile expects of our base image. */
export interface BaseExpectations {
  readonly uses: readonly PackageManagerUse[];
  /** True when the last stage, which becomes the image, is built on our base. */
  readonly endsOnBase: boolean;
}

const CALL =
  /(?:^|[^\w./-])(apk|apt-get|apt)["',\s][^;&|]{0,200}?\b(?:add|install|update|upgrade)\b/g;

/**
 * Finds package manager calls in the stages that start from one of `bases` (each with a tag).
 * An instruction that calls both managers is taken to choose by itself.
 */
export function baseExpectations(text: string, bases: readonly string[]): BaseExpectations {
  const onBase = new Set(bases.flatMap((name) => [name, name.replace(/:latest$/, "")]));
  const uses: PackageManagerUse[] = [];
  let current = false;
  for (const instruction of parseDockerfile(text)) {
    if (instruction.keyword === "FROM") {
      const [image, , stage] = instruction.words.filter(({ text: word }) => !word.startsWith("--"));
      current = image !== undefined && onBase.has(image.text);
      if (current && stage) onBase.add(stage.text);
    } else if (current && instruction.keyword === "RUN") {
      uses.push(...callsIn(instruction));
    }
  }
  return { uses, endsOnBase: current };
}

/** Which manager an image has, told by its name; undefined where the name does not say. */
export function packageManagerOf(image: string): PackageManager | undefined {
  if (/alpine/i.test(image)) return "apk";
  const debian = /debian|ubuntu|bookworm|trixie|bullseye|-slim\b|(^|\/)node:[\d.]+$|(^|\/)node$/i;
  return debian.test(image) ? "apt" : undefined;
}

function callsIn(instruction: DockerfileInstruction): PackageManagerUse[] {
  const calls = instruction.lines.flatMap(({ number, text }) => {
    if (/^\s*#/.test(text)) return [];
    return [...text.matchAll(CALL)].map(([, name]): PackageManagerUse => {
      return { manager: name === "apk" ? "apk" : "apt", line: number };
    });
  });
  return new Set(calls.map(({ manager }) => manager)).size > 1 ? [] : calls;
}
