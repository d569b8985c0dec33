import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { LABELS } from "../../../src/core/names.ts";

/** An image of a pretended engine: its layers' bytes, lowest first. */
export interface FixtureImage {
  readonly reference: string;
  readonly specHash: string;
  readonly layers: readonly Buffer[];
}

const hex = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** What `docker save` of several images gives: shared layers once, a manifest of all. */
export function savedArchive(images: readonly FixtureImage[]): Readable {
  const tar = pack();
  const written = new Set<string>();
  const manifest = images.map((image) => {
    const config = configOf(image);
    tar.entry({ name: `${hex(config)}.json` }, config);
    const names = image.layers.map((layer) => `${hex(layer)}/layer.tar`);
    for (const [index, name] of names.entries()) {
      if (!written.has(name)) tar.entry({ name }, image.layers[index] ?? "");
      written.add(name);
    }
    return { Config: `${hex(config)}.json`, RepoTags: [image.reference], Layers: names };
  });
  tar.entry({ name: "manifest.json" }, JSON.stringify(manifest));
  tar.finalize();
  return Readable.from(tar);
}

/** What inspecting such an image gives. */
export function inspected(image: FixtureImage) {
  return {
    id: `sha256:${hex(configOf(image))}`,
    references: [image.reference],
    labels: { [LABELS.specHash]: image.specHash },
    architecture: "amd64",
    diffIds: image.layers.map((layer) => `sha256:${hex(layer)}`),
    sizeBytes: 0,
    namedAtMs: 0,
    program: { entrypoint: [], argv: [], env: [] },
  };
}

function configOf({ layers, specHash }: FixtureImage): Buffer {
  const rootfs = { diff_ids: layers.map((layer) => `sha256:${hex(layer)}`) };
  return Buffer.from(
    JSON.stringify({ rootfs, config: { Labels: { [LABELS.specHash]: specHash } } }),
  );
}
