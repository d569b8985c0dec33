import { randomBytes } from "node:crypto";
import type { HostSpec, ImageRecipe, ImageSpec } from "../../src/core/desired.ts";
import { compareText, sha256 } from "../../src/core/fingerprint.ts";
import { imageReference } from "../../src/core/names.ts";
import { doorOf, ingressOf, type SpecWords } from "../memory-host/specs.ts";
import { file } from "./docker-recipes.ts";
import { waitingProgram } from "./waiting-program.ts";

const recipes = new Map<string, ImageRecipe>();
const ballast = randomBytes(2_000_000);

/** Images of a spec that can really be built, small as they are, with their runtime. */
export function specImages(
  project: string,
  words: Pick<SpecWords, "runtime" | "port" | "door" | "public"> & {
    readonly agents?: SpecWords["agents"];
  },
): Pick<HostSpec, "images" | "runtime" | "door" | "ingress"> {
  const base = recipe(project, "base", `FROM scratch\nCOPY wait ballast /\nCMD ["/wait"]\n`);
  const { runtime: version = "1", door: doorVersion = "1", port, agents = {} } = words;
  const runtime = recipe(project, "runtime", waiting(version));
  const door = port === undefined ? [] : [recipe(project, "door", waiting(`door-${doorVersion}`))];
  const ingress =
    words.public === undefined ? [] : [recipe(project, "ingress", waiting("ingress-1"))];
  const own = Object.entries(agents).flatMap(([name, { image }]) =>
    image === undefined
      ? []
      : [
          recipe(
            project,
            `agent-${name}`,
            `FROM ${base.reference}\nLABEL version=${image}\nCOPY note /\n`,
            [base.reference],
          ),
        ],
  );
  const images = [base, runtime, ...door, ...ingress, ...own];
  return {
    images: images.sort((a, b) => compareText(a.reference, b.reference)),
    runtime: { image: runtime.reference, imageSpecHash: runtime.specHash },
    ...doorOf(door, port),
    ...ingressOf(ingress, words),
  };
}

function waiting(version: string): string {
  return `FROM scratch\nCOPY wait /\nLABEL version=${version}\nCMD ["/wait"]\n`;
}

/** How the images of such a spec are built. */
export function imageRecipes({ images }: HostSpec): readonly ImageRecipe[] {
  return images.flatMap(({ reference }) => recipes.get(reference) ?? []);
}

function recipe(
  project: string,
  name: string,
  dockerfile: string,
  needs: readonly string[] = [],
): ImageSpec {
  const specHash = sha256(`${project} ${name} ${dockerfile}`);
  const image = { name, specHash, reference: imageReference(project, name, specHash) };
  const context = [
    ...[file("ballast", ballast), file("note", dockerfile)],
    file("wait", waitingProgram(), true),
  ];
  const architecture = "amd64";
  recipes.set(image.reference, { image, architecture, dockerfile, context, needs, buildArgs: {} });
  return image;
}
