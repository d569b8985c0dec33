import { randomBytes } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LABELS } from "../../src/core/names.ts";
import { type BuildOptions, buildImage } from "../../src/docker/build.ts";
import { buildComplete } from "../../src/docker/build-complete.ts";
import { deliverImage } from "../../src/docker/deliver-image.ts";
import type { DockerClient } from "../../src/docker/docker-client.ts";
import { exportImage, exportImages } from "../../src/docker/image-archive.ts";
import { file, recipeOf } from "./docker-recipes.ts";

/** A host that builds, and where exports are kept. */
export interface BuilderUnderTest {
  readonly host: DockerClient;
  readonly cacheDir: string;
  readonly options: BuildOptions;
  /** A reference no other test uses. */
  reference(name: string): string;
}

/** What a host that builds for others must do. */
export function builderCases(on: () => BuilderUnderTest): void {
  test("several images are saved at once", async () => {
    const { host, cacheDir, options, reference } = on();
    const saves: (readonly string[])[] = [];
    const counting: DockerClient = {
      ...host,
      saveStream(references, call) {
        saves.push(references);
        return host.saveStream(references, call);
      },
    };
    const names = ["one", "two"].map((name) => reference(name));
    for (const name of names) {
      const recipe = recipeOf(name, "FROM scratch\nCOPY n /\n", [file("n", name)]);
      await buildImage(host, recipe, options);
    }
    const own = await mkdtemp(join(cacheDir, "saves-"));
    const archives = await exportImages(counting, names, { cacheDir: own });
    expect(archives.map((archive) => archive.reference)).toEqual(names);
    for (const archive of archives) {
      const details = await host.inspectImage(archive.reference);
      expect(archive.layers.map(({ diffId }) => diffId)).toEqual(details?.diffIds);
      expect(archive.specHash).toBe(details?.labels[LABELS.specHash]);
    }
    expect(saves).toEqual([names]);
    await exportImages(counting, names, { cacheDir: own });
    expect(saves).toHaveLength(1);
  });

  test("an image that came in parts is made whole before anything is built on it", async () => {
    const { host, cacheDir, options, reference } = on();
    const [low, middle, high] = ["low", "middle", "high"].map((name) => reference(name)) as [
      string,
      string,
      string,
    ];
    const recipes = [
      recipeOf(low, "FROM scratch\nCOPY b /\n", [file("b", randomBytes(500_000))]),
      recipeOf(middle, `FROM ${low}\nCOPY m /\n`, [file("m", "m")], [low]),
      recipeOf(high, `FROM ${middle}\nCOPY h /\n`, [file("h", "h")], [middle]),
    ] as const;
    await buildImage(host, recipes[0], options);
    await buildImage(host, recipes[1], options);
    const archive = await exportImage(host, middle, { cacheDir });
    await host.removeImage(middle);
    expect(await deliverImage(host, archive)).toMatchObject({ kind: "partial" });
    const elsewhere = { ...options, cacheDir: await mkdtemp(join(cacheDir, "whole-")) };
    for (const recipe of recipes) await buildComplete(host, recipe, elsewhere);
    const [whole] = await exportImages(host, [high], elsewhere);
    expect(whole?.layers).toHaveLength(3);
    expect((await host.inspectImage(middle))?.diffIds).toEqual(
      archive.layers.map(({ diffId }) => diffId),
    );
  });
}
