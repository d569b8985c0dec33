import { compareText } from "./fingerprint.ts";
import { imageReference } from "./names.ts";

/** A name of an image on an engine that builds, with the labels it has there. */
export interface BuiltImage {
  readonly reference: string;
  readonly id: string;
  /** Value of its project label. */
  readonly project: string | undefined;
  /** Value of its spec-hash label. */
  readonly specHash: string | undefined;
  /** 0 when unknown: it then stays. */
  readonly namedAtMs: number;
}

/** What says that an image is still of use. */
export interface ImageUses {
  readonly project: string;
  /** References that the current recipes make, or that an inventory lists. */
  readonly wanted: ReadonlySet<string>;
  /** Ids and references that containers were made from, in any state. */
  readonly inContainers: ReadonlySet<string>;
  /** Images named at this time or later stay: someone else may be building on them. */
  readonly keptSinceMs: number;
}

/**
 * References that an engine which built for a project may lose, sorted: names that we gave (an image that
 * somebody built on one of ours has our labels, but not our name for its spec hash), old, and of use to nobody.
 */
export function supersededImages(
  images: readonly BuiltImage[],
  { project, wanted, inContainers, keptSinceMs }: ImageUses,
): readonly string[] {
  const isOurs = ({ reference, project: owner, specHash }: BuiltImage) =>
    owner === project && specHash !== undefined && reference === nameFor(reference, specHash);
  const nameFor = (reference: string, specHash: string) =>
    imageReference(
      project,
      reference.slice(reference.indexOf("/") + 1, reference.lastIndexOf(":")),
      specHash,
    );
  return images
    .filter(isOurs)
    .filter(({ reference, id }) => !inContainers.has(id) && !inContainers.has(reference))
    .filter(({ reference }) => !wanted.has(reference))
    .filter(({ namedAtMs }) => namedAtMs > 0 && namedAtMs < keptSinceMs)
    .map(({ reference }) => reference)
    .sort(compareText);
}
