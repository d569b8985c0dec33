import { printable } from "../../base/printable.ts";
import type { ImageRecipe } from "../../core/desired.ts";
import type { BuildOutcome } from "../../docker/build.ts";
import type { Output } from "./output.ts";

/** An image that is there now, and how that came. */
export type BuiltImage = {
  /** `base`, `project` or `agent-<name>`. */
  readonly name: string;
  readonly reference: string;
  readonly sizeBytes: number;
} & BuildOutcome;

/** Shows how a build gets on. */
export interface BuildBoard {
  /** A line of the build, which begins with the image's reference. */
  progress(line: string): void;
  done(reference: string): void;
  /** Wipes what was redrawn in place; may be called again. */
  end(): void;
}

/** On a terminal one line per image, redrawn in place; elsewhere every line as it comes. */
export function buildBoard(output: Output, recipes: readonly ImageRecipe[]): BuildBoard {
  const { region } = output;
  const states = new Map(recipes.map(({ image }) => [image.reference, "waiting"]));
  const draw = () => region?.draw([...states].map(([name, state]) => `${name}  ${state}`));
  const end = () => region?.end([]);
  draw();
  return {
    progress(text) {
      const line = printable(text);
      const reference = [...states.keys()].find((name) => line.startsWith(`${name}: `));
      if (!region || reference === undefined) {
        output.progress(line);
        output.record({ kind: "build-progress", text });
        return;
      }
      states.set(reference, line.slice(reference.length + 2));
      draw();
    },
    done(reference) {
      if (states.has(reference)) states.set(reference, "done");
      draw();
    },
    end,
  };
}

/** A line per image: name, reference, size, and what was cached. */
export function builtLines(images: readonly BuiltImage[]): string[] {
  const rows = images.map((image) => [
    image.name,
    image.reference,
    sizeText(image),
    howText(image),
  ]);
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map(([name = "", reference = "", size = "", how = ""]) =>
    [name.padEnd(width(0)), reference.padEnd(width(1)), size.padStart(width(2)), how].join("  "),
  );
}

/** The same for machines. */
export function builtRecord({ kind, ...image }: BuiltImage): Record<string, unknown> {
  return { kind: "image", ...image, outcome: kind === "present" ? "cached" : "built" };
}

function sizeText({ sizeBytes }: BuiltImage): string {
  return `${(sizeBytes / 1e6).toFixed(1)} MB`;
}

function howText(image: BuiltImage): string {
  if (image.kind === "present") return "cached";
  const { steps, cachedSteps } = image;
  return `built, ${cachedSteps} of ${steps} ${steps === 1 ? "step" : "steps"} cached`;
}
