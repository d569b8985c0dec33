import { expect, test } from "vitest";
import { openImageSource } from "../../src/cli/image-source.ts";
import type { ImageRecipe } from "../../src/core/desired.ts";
import { buildArchitectures, workerArchitectures } from "../../src/docker/build-platforms.ts";
import type { BuilderUnderTest } from "./docker-builder-cases.ts";
import { file, recipeOf } from "./docker-recipes.ts";

/** Which architectures a host builds for. */
export function architectureCases(on: () => BuilderUnderTest): void {
  test("an engine says what it builds for; another architecture is refused before it builds", async () => {
    const { host, cacheDir, options, reference } = on();
    const own = (await host.engineInfo()).architecture;
    const builds = await buildArchitectures(host);
    expect(builds).toContain(own);
    expect(builds).toEqual(expect.arrayContaining([...(await workerArchitectures(host))]));
    expect(await workerArchitectures(host)).toContain(own);
    const other = own === "amd64" ? "arm64" : "amd64";
    const name = reference("foreign");
    const plain = recipeOf(name, "FROM scratch\nCOPY n /\n", [file("n", "n")]);
    const recipe: ImageRecipe = { ...plain, architecture: other };
    const images = openImageSource({
      ...{ project: options.project, home: cacheDir, listed: async () => [] },
      builders: { engine: async () => host },
    });
    const lines: string[] = [];
    const onProgress = (line: string) => lines.push(line);
    const call = { host: "target", recipes: [recipe], wanted: [recipe], onProgress };
    if (builds.includes(other)) {
      // A machine that emulates it.
      expect((await images.archive(recipe, call)).reference).toBe(name);
      return;
    }
    await expect(images.archive(recipe, call)).rejects.toMatchObject({
      code: "builder-architecture",
      message: expect.stringContaining(`host target needs images for ${other}`),
    });
    expect(lines).toEqual([]);
    expect(await host.inspectImage(name)).toBeUndefined();
  });
}
