import { expect, test } from "vitest";
import type { ImageSpec } from "../../src/core/desired.ts";
import type { HostRig } from "./host-rig.ts";

/** Steps that bring images. */
export function imageCases(use: () => HostRig): void {
  const named = (name: string): ImageSpec => {
    const image = use()
      .spec()
      .images.find((one) => one.name === name);
    if (!image) throw new Error(`the spec has no image ${name}`);
    return image;
  };
  const present = async ({ reference }: ImageSpec) =>
    (await use().observe()).images.find((image) => image.reference === reference)?.specHash;

  test("an image is on the host after its delivery, and stays on a repetition", async () => {
    const image = named("base");
    await use().doTwice({ kind: "deliver-image", image });
    expect(await present(image)).toBe(image.specHash);
    expect((await use().look()).images).toContain(image.reference);
  });

  test("an image on top of one that is there comes whole", async () => {
    const image = named("agent-dev");
    await use().doTwice({ kind: "deliver-image", image });
    expect(await present(image)).toBe(image.specHash);
    expect((await use().look()).images).toContain(image.reference);
  });

  test("a name that another image took is given to the right one again", async () => {
    const image = named("agent-dev");
    await use().bench.meddle.retagImage(image.reference);
    expect(await present(image)).not.toBe(image.specHash);
    await use().do({ kind: "deliver-image", image });
    expect(await present(image)).toBe(image.specHash);
  });

  test("an image that nothing says how to build is a bug, said as one", async () => {
    const image = { ...named("base"), reference: `al-${use().bench.project}/nobody:1` };
    const delivering = use().do({ kind: "deliver-image", image });
    await expect(delivering).rejects.toMatchObject({ code: "no-recipe", blame: "bug" });
  });
}

/** The step that makes the project's network. */
export function networkCases(use: () => HostRig): void {
  test("a network under our name that is not ours is left alone, and said", async () => {
    const { network } = await use().target(use().spec());
    const { meddle } = use().bench;
    await meddle.takeNetwork(network.name);
    expect((await use().observe()).network).toBeUndefined();
    await expect(use().do({ kind: "create-network", network })).rejects.toMatchObject({
      code: "name-taken",
      blame: "user",
      message: expect.stringContaining(network.name),
    });
    await meddle.removeNetwork(network.name);
  });

  test("a network is there with the subnet that was chosen, also when asked for twice", async () => {
    const { network } = await use().target(use().spec());
    await use().doTwice({ kind: "create-network", network });
    const observed = await use().observe();
    expect(observed.network).toEqual(network);
    expect(observed.subnets).toContain(network.subnet);
    expect((await use().look()).subnet).toBe(network.subnet);
  });
}
