import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openImageSource } from "../../../src/cli/image-source.ts";
import type { HostAddress, ImageRecipe } from "../../../src/core/desired.ts";
import type { DockerClient } from "../../../src/docker/docker-client.ts";
import { type FixtureImage, inspected, savedArchive } from "./saved-fixture.ts";

const lowest = randomBytes(4096);
const image = (name: string): FixtureImage => ({
  reference: `al-p/${name}:1`,
  specHash: `hash of ${name}`,
  layers: [lowest, Buffer.from(`layer of ${name}`)],
});
const IMAGES = ["base", "runtime", "agent-a", "agent-b"].map(image);

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "al-source-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

function recipeOf({ reference, specHash }: FixtureImage, builder?: HostAddress): ImageRecipe {
  const spec = { name: reference, reference, specHash };
  const rest = { dockerfile: "", context: [], buildArgs: {}, needs: [] };
  return { image: spec, architecture: "amd64", builder, ...rest };
}

/** An engine on which everything is built already. */
function engine() {
  const saves: (readonly string[])[] = [];
  let broken: Error | undefined;
  const find = (reference: string) => IMAGES.find((one) => one.reference === reference);
  /** How often what vanishes was looked at: three looks are a build's, the export's finds nothing. */
  const vanishing = new Map<string, number>();
  const docker: Partial<DockerClient> = {
    host: "builder",
    engineInfo: async () => ({
      id: "ENGINE",
      serverVersion: "20.10",
      apiVersion: "1.41",
      architecture: "amd64",
      imageStore: "classic",
      dockerRootDir: "/var/lib/docker",
      liveRestore: true,
    }),
    inspectImage: async (reference) => {
      const found = find(reference);
      const looks = vanishing.get(reference);
      if (looks !== undefined) vanishing.set(reference, looks + 1);
      if (looks === 3) return undefined;
      return found && inspected(found);
    },
    listContainers: async () => [],
    listImages: async () => [],
    saveStream: async (references, options) => {
      saves.push(references);
      await new Promise((resolve) => setTimeout(resolve, 20));
      options?.signal?.throwIfAborted();
      if (broken) throw broken;
      return savedArchive(references.flatMap((reference) => find(reference) ?? []));
    },
  };
  return {
    saves,
    fail: (error: Error | undefined) => {
      broken = error;
    },
    vanish: (reference: string) => vanishing.set(reference, 0),
    docker: docker as DockerClient,
  };
}

function source(builder = engine()) {
  const asked: (string | undefined)[] = [];
  const builders = {
    engine: async (address: HostAddress | undefined) => {
      asked.push(address?.host);
      return builder.docker;
    },
  };
  return {
    ...builder,
    asked,
    images: openImageSource({ project: "p", home, builders, listed: async () => [] }),
  };
}

const recipes = IMAGES.map((one) => recipeOf(one));
const [base, runtime, a, b] = recipes as [ImageRecipe, ImageRecipe, ImageRecipe, ImageRecipe];

test("what a pass wants is saved together, once", async () => {
  const { images, saves } = source();
  const call = { host: "one", recipes, wanted: [base, runtime, a] };
  const archives = [];
  for (const recipe of call.wanted) archives.push(await images.archive(recipe, call));
  expect(saves).toEqual([["al-p/base:1", "al-p/runtime:1", "al-p/agent-a:1"]]);
  expect(archives.map(({ reference, specHash }) => [reference, specHash])).toEqual([
    ["al-p/base:1", "hash of base"],
    ["al-p/runtime:1", "hash of runtime"],
    ["al-p/agent-a:1", "hash of agent-a"],
  ]);
  const [first, second] = archives[1]?.layers ?? [];
  expect(first && (await buffer(first.open())).equals(lowest)).toBe(true);
  expect(second && (await buffer(second.open())).toString()).toBe("layer of runtime");
});

test("hosts at the same time share one export, and wait for nothing they do not want", async () => {
  const { images, saves } = source();
  const one = { host: "one", recipes, wanted: [base, runtime, a] };
  const other = { host: "one", recipes, wanted: [base, runtime, b] };
  const made = await Promise.all([
    images.archive(base, one),
    images.archive(base, other),
    images.archive(b, other),
    images.archive(a, one),
  ]);
  expect(made.map(({ reference }) => reference)).toEqual([
    "al-p/base:1",
    "al-p/base:1",
    "al-p/agent-b:1",
    "al-p/agent-a:1",
  ]);
  // Two exports side by side: either may reach the engine first.
  expect(saves.toSorted((one, two) => two.length - one.length)).toEqual([
    ["al-p/base:1", "al-p/runtime:1", "al-p/agent-a:1"],
    ["al-p/agent-b:1"],
  ]);
});

test("what another process exported is not saved again", async () => {
  const before = source();
  await before.images.archive(base, { host: "one", recipes, wanted: [base, runtime] });
  const { images, saves } = source();
  await images.archive(base, { host: "one", recipes, wanted: [base, runtime, a] });
  expect(saves).toEqual([["al-p/agent-a:1"]]);
});

test("when the host whose wish it was gives up, those that waited start anew", async () => {
  const { images, saves } = source();
  const stop = new AbortController();
  const first = images.archive(base, { host: "one", recipes, wanted: [base], signal: stop.signal });
  const texts: string[] = [];
  const onProgress = (text: string) => texts.push(text);
  const second = images.archive(base, { host: "one", recipes, wanted: [base], onProgress });
  setTimeout(() => stop.abort(new Error("never mind")), 5);
  await expect(first).rejects.toThrow("never mind");
  expect((await second).reference).toBe("al-p/base:1");
  expect(saves).toHaveLength(2);
  expect(texts[0]).toBe("waiting for image al-p/base:1, which is on its way");
});

test("a failure is everyone's, and the next wish tries again", async () => {
  const { images, fail } = source();
  fail(new Error("engine down"));
  const call = { host: "one", recipes, wanted: [base] };
  const both = [images.archive(base, call), images.archive(base, call)];
  for (const one of await Promise.allSettled(both)) expect(one.status).toBe("rejected");
  fail(undefined);
  expect((await images.archive(base, call)).reference).toBe("al-p/base:1");
});

test("recipes that name a host are built there", async () => {
  const { images, asked } = source();
  const address = { host: "big", provider: "ssh", address: "10.0.0.1", port: 22, user: "root" };
  const builder = { ...address, labels: {} } as HostAddress;
  const there = recipeOf(IMAGES[0] as FixtureImage, builder);
  await images.archive(there, { host: "one", recipes: [there], wanted: [there] });
  await images.archive(runtime, { host: "one", recipes, wanted: [runtime] });
  expect(asked).toEqual(["big", undefined]);
});

test("what is wanted on the engine that builds it is not exported, and elsewhere it is", async () => {
  const { images, saves } = source();
  const call = { host: "one", recipes, wanted: [base, a] };
  expect(await images.buildOn("ENGINE", a, call)).toBe(true);
  expect(await images.buildOn("", a, call)).toBe(false);
  expect(await images.buildOn("ANOTHER", a, call)).toBe(false);
  expect(saves).toEqual([]);
});

test("an engine of another architecture is refused for the host that asked, before it builds", async () => {
  const { images, saves } = source();
  const arm: ImageRecipe = { ...a, architecture: "arm64" };
  const big = { host: "big", provider: "ssh", address: "10.0.0.1", port: 22, user: "root" };
  const call = { host: "two", recipes: [arm], wanted: [arm] };
  const message =
    "host two needs images for arm64, but this machine, which builds them, is amd64 and emulates no arm64";
  const refused = { code: "builder-architecture", blame: "user", message };
  await expect(images.buildOn("ANOTHER", arm, call)).rejects.toMatchObject(refused);
  await expect(images.archive(arm, call)).rejects.toMatchObject(refused);
  const there = { ...arm, builder: { ...big, labels: {} } as HostAddress };
  await expect(images.archive(there, call)).rejects.toMatchObject({
    message: message.replace("this machine", "host big"),
  });
  expect(saves).toEqual([]);
});

test("an image that is removed while it is on its way is built again, once", async () => {
  const { images, saves, vanish } = source();
  vanish(base.image.reference);
  const call = { host: "one", recipes, wanted: [base] };
  expect((await images.archive(base, call)).reference).toBe("al-p/base:1");
  expect(saves).toEqual([["al-p/base:1"]]);
});

test("old images that cannot be removed are a word by the way, and no failure", async () => {
  const texts: string[] = [];
  const builder = engine();
  const docker = { ...builder.docker, listContainers: () => Promise.reject(new Error("no list")) };
  const { images } = source({ ...builder, docker });
  const call = {
    host: "one",
    recipes,
    wanted: [base],
    onProgress: (text: string) => texts.push(text),
  };
  expect((await images.archive(base, call)).reference).toBe("al-p/base:1");
  expect(texts).toContain("old images stay on builder: no list");
});
