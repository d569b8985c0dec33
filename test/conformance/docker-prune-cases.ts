import { expect, test } from "vitest";
import { imageReference, LABELS } from "../../src/core/names.ts";
import { buildImage } from "../../src/docker/build.ts";
import { pruneBuilt } from "../../src/docker/prune-built.ts";
import type { BuilderUnderTest } from "./docker-builder-cases.ts";
import { file, recipeOf } from "./docker-recipes.ts";
import { uniqueName } from "./docker-support.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** What an engine that builds may lose, and what it keeps. */
export function pruneCases(on: () => BuilderUnderTest): void {
  async function build(name: string, owner: string): Promise<string> {
    const content = [file("n", owner + name)];
    const plain = recipeOf(name, "FROM scratch\nCOPY n /\n", content);
    const reference = imageReference(owner, name, plain.image.specHash);
    const recipe = { ...plain, image: { ...plain.image, reference } };
    await buildImage(on().host, recipe, { project: owner });
    return reference;
  }

  async function container(name: string, image: string, labels: Record<string, string> = {}) {
    await on().host.createContainer({ name, image, labels, network: "none", argv: ["x"] });
  }

  test("old images of ours that nobody needs leave the engine that built them, and no others", async () => {
    const { host } = on();
    const project = uniqueName("old");
    const [user, runtime] = [`${project}-user`, `${project}-runtime`];
    const [old, wanted, used, shared] = [
      await build("agent-old", project),
      await build("agent-wanted", project),
      await build("agent-used", project),
      await build("agent-shared", project),
    ];
    const foreign = await build("agent-old", `${project}-other`);
    // Somebody's own names for an image of ours, one of them much like ours.
    const theirs = [`${project}-theirs:1`, `al-${project}/agent-shared:latest`];
    for (const name of theirs) await host.tagImage(shared, name);
    const prune = (keptSinceMs: number, listed: readonly string[] = []) =>
      pruneBuilt(host, { project, wanted: new Set([wanted, ...listed]), keptSinceMs });
    const areThere = async (names: readonly string[]) =>
      Promise.all(names.map(async (name) => (await host.inspectImage(name)) !== undefined));
    const tomorrow = Date.now() + DAY_MS;
    try {
      await container(user, used);
      expect(await prune(Date.now() - DAY_MS)).toEqual([]);
      await container(runtime, wanted, { [LABELS.project]: project, [LABELS.role]: "runtime" });
      expect(await prune(tomorrow)).toEqual([]);
      expect(await prune(tomorrow, [runtime])).toEqual([old, shared].sort());
      expect(await areThere([old, shared])).toEqual([false, false]);
      const kept = [wanted, used, foreign, ...theirs];
      expect(await areThere(kept)).toEqual(kept.map(() => true));
      for (const name of [runtime, user]) await host.removeContainer(name);
      expect(await prune(tomorrow)).toEqual([used]);
    } finally {
      for (const name of [runtime, user]) await host.removeContainer(name);
      for (const name of [wanted, used, foreign, ...theirs]) await host.removeImage(name);
    }
  });

  test("an image is as old as its name, not as the cache it was built from", async () => {
    const { host, options, reference } = on();
    const { image, ...rest } = recipeOf("same", "FROM scratch\nCOPY n /\n", [file("n", "n")]);
    const namedAt = async (name: string) => (await host.inspectImage(name))?.namedAtMs;
    const [first, again] = [reference("first"), reference("again")];
    await buildImage(host, { ...rest, image: { ...image, reference: first } }, options);
    const before = (await namedAt(first)) ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const between = Date.now();
    await buildImage(host, { ...rest, image: { ...image, reference: again } }, options);
    expect(before).toBeLessThan(between);
    expect(await namedAt(again)).toBeGreaterThanOrEqual(between);
  });
}
