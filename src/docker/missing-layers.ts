/**
 * How many of an image's lowest layers a host can use from images it has.
 *
 * An engine finds a layer by its chain, the layer with everything below it, so a layer that the
 * host has on top of something else is of no use.
 */
export function presentLayers(
  diffIds: readonly string[],
  imagesOnHost: readonly (readonly string[])[],
): number {
  let longest = 0;
  for (const other of imagesOnHost) {
    let length = 0;
    while (length < diffIds.length && diffIds[length] === other[length]) length += 1;
    longest = Math.max(longest, length);
  }
  return longest;
}

/** The layers a host lacks, each once although an image may repeat it. */
export function missingLayers<L extends { readonly diffId: string }>(
  layers: readonly L[],
  present: number,
): readonly L[] {
  const byDiffId = new Map<string, L>();
  for (const layer of layers.slice(present)) {
    if (!byDiffId.has(layer.diffId)) byDiffId.set(layer.diffId, layer);
  }
  return [...byDiffId.values()];
}
