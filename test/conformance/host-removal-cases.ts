import { expect, test } from "vitest";
import type { InventoryItem, ItemKind } from "../../src/core/observed.ts";
import type { HostRig } from "./host-rig.ts";

/** Steps that delete what the inventory lists. */
export function removalCases(use: () => HostRig): void {
  const remove = (kind: ItemKind, id: string) => use().do({ kind: "remove", item: { kind, id } });
  const isListed = async (kind: ItemKind, id: string) =>
    (await use().inventory()).items.some((item) => item.kind === kind && item.id === id);

  test("a release leaves the host, then the list; repeating it is fine; others stay", async () => {
    const target = await use().prepare(use().spec());
    const old = use().spec("old").release.hash;
    await use().prepare(use().spec("old"));
    await list(use(), { kind: "release", id: target.current.release });
    expect(await remove("release", old)).toEqual({ kind: "done" });
    expect(await remove("release", old)).toEqual({ kind: "done" });
    expect(await isListed("release", old)).toBe(false);
    expect(await isListed("release", target.current.release)).toBe(true);
    const paths = [...(await use().look()).files.keys()];
    expect(paths.filter((path) => path.includes(old))).toEqual([]);
    expect(paths.some((path) => path.includes(target.current.release))).toBe(true);
  });

  test("a credential set leaves the host, then the list", async () => {
    const { credentials } = await use().prepare(use().spec());
    await remove("credentials", credentials.hash);
    expect(await isListed("credentials", credentials.hash)).toBe(false);
    const paths = [...(await use().look()).files.keys()];
    expect(paths.filter((path) => path.includes(credentials.hash))).toEqual([]);
  });

  test("an image in use stays, on the host and on the list, until nobody uses it", async () => {
    const spec = use().spec("image", { image: "2" });
    await use().prepare(spec);
    const { reference } = spec.images.find(({ name }) => name === "agent-dev") ?? { reference: "" };
    const user = `${use().bench.project}-user`;
    await use().bench.meddle.useImage(reference, user);
    const kept = await remove("image", reference);
    expect(kept).toMatchObject({ kind: "kept", reason: expect.stringMatching(/us(ed|ing)/) });
    expect(await isListed("image", reference)).toBe(true);
    expect((await use().look()).images).toContain(reference);
    await use().bench.meddle.removeContainer(user);
    expect(await remove("image", reference)).toEqual({ kind: "done" });
    expect(await isListed("image", reference)).toBe(false);
    expect((await use().look()).images).not.toContain(reference);
  });

  test("a name of ours that another's image took only leaves the list", async () => {
    const taken = `al-${use().bench.project}/agent-gone:0123456789ab`;
    await use().bench.meddle.takeImage(taken);
    await list(use(), { kind: "image", id: taken });
    expect(await remove("image", taken)).toEqual({ kind: "done" });
    expect(await isListed("image", taken)).toBe(false);
    expect((await use().look()).images).toContain(taken);
    await use().bench.meddle.removeImage(taken);
  });

  containerRemoval(use, remove, isListed);

  test("a network leaves the host, then the list; one that is not ours only the list", async () => {
    const { network } = await use().prepare(use().spec());
    await removeRuntimes(use());
    expect(await remove("network", network.name)).toEqual({ kind: "done" });
    expect(await isListed("network", network.name)).toBe(false);
    expect((await use().look()).subnet).toBeUndefined();
    await use().bench.meddle.takeNetwork(network.name);
    await list(use(), { kind: "network", id: network.name });
    expect(await remove("network", network.name)).toEqual({ kind: "done" });
    expect(await isListed("network", network.name)).toBe(false);
    expect((await use().look()).subnet).toBeDefined();
    await use().bench.meddle.removeNetwork(network.name);
  });
}

function containerRemoval(
  use: () => HostRig,
  remove: (kind: ItemKind, id: string) => Promise<unknown>,
  isListed: (kind: ItemKind, id: string) => Promise<boolean>,
): void {
  test("a network with a running container on it stays, on the host and on the list", async () => {
    const { network } = await use().deploy(use().spec());
    await list(use(), { kind: "network", id: network.name });
    expect(await remove("network", network.name)).toMatchObject({ kind: "kept" });
    expect(await isListed("network", network.name)).toBe(true);
    expect((await use().look()).subnet).toBe(network.subnet);
  });

  test("a container leaves the host, running or not; one that is not ours only the list", async () => {
    const { container } = await use().deploy(use().spec());
    expect(await remove("container", container.name)).toEqual({ kind: "done" });
    expect(await isListed("container", container.name)).toBe(false);
    expect((await use().look()).containers[container.name]).toBeUndefined();
    await use().bench.meddle.takeContainer(container.name);
    await list(use(), { kind: "container", id: container.name });
    expect(await remove("container", container.name)).toEqual({ kind: "done" });
    expect(await isListed("container", container.name)).toBe(false);
    expect((await use().look()).containers[container.name]).toBe("created");
    await use().bench.meddle.removeContainer(container.name);
  });
}

async function list(rig: HostRig, item: InventoryItem): Promise<void> {
  const inventory = await rig.inventory();
  const items = [...inventory.items, item];
  await rig.do({ kind: "record-inventory", inventory: { ...inventory, items } });
}

/** Takes every runtime of the project off the host. */
async function removeRuntimes(rig: HostRig): Promise<void> {
  for (const { name } of (await rig.observe()).containers) {
    await rig.do({ kind: "remove", item: { kind: "container", id: name } });
  }
}
