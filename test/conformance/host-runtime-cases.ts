import { expect, test } from "vitest";
import type { HostRig } from "./host-rig.ts";

/** Steps that make, start and stop runtimes. */
export function runtimeCases(use: () => HostRig): void {
  test("a container under our name that is not ours is left alone, and said", async () => {
    const spec = use().spec();
    for (const image of spec.images) await use().do({ kind: "deliver-image", image }, spec);
    const { container } = await use().target(spec);
    await use().bench.meddle.takeContainer(container.name);
    await expect(use().do({ kind: "create-runtime", container })).rejects.toMatchObject({
      code: "name-taken",
      blame: "user",
      message: expect.stringContaining(container.name),
    });
    expect((await use().observe()).containers).toEqual([]);
    await use().bench.meddle.removeContainer(container.name);
  });

  test("a runtime is made, but does not run before the switch", async () => {
    const { container } = await use().target(use().spec());
    await use().doTwice({ kind: "create-runtime", container });
    const { name, specHash, image } = container;
    const { containers } = await use().observe();
    expect(containers).toHaveLength(1);
    expect(containers).toMatchObject([
      { name, specHash, image, role: "runtime", state: "created" },
    ]);
    expect((await use().look()).containers).toEqual({ [name]: "created" });
  });

  test("a switch from nothing makes it live and starts it; a second one changes nothing", async () => {
    const { current } = await use().prepare(use().spec());
    const step = { kind: "switch", current, previous: undefined } as const;
    await use().doTwice(step);
    await expectLive(use(), current.runtime);
    expect((await use().observe()).current).toEqual(current);
    expect((await use().look()).files.get("current.json")).toMatchObject({ mode: "600" });
  });

  test("a switch to another release keeps the runtime running", async () => {
    const { current } = await use().deploy(use().spec("two"));
    await expectLive(use(), current.runtime);
    expect((await use().observe()).current).toEqual(current);
  });

  test("a switch to another runtime stops the one before, and one back starts it again", async () => {
    const before = (await use().target(use().spec())).current.runtime;
    const { current } = await use().deploy(use().spec("three", {}, "2"));
    expect(current.runtime).not.toBe(before);
    expect((await use().look()).containers).toEqual({
      [before]: "exited",
      [current.runtime]: "running",
    });
    await use().deploy(use().spec());
    expect((await use().look()).containers).toEqual({
      [before]: "running",
      [current.runtime]: "exited",
    });
  });

  unwrittenCase(use);

  test("a withdrawal leaves nothing live and nothing running", async () => {
    const container = (await use().target(use().spec())).current.runtime;
    await use().doTwice({ kind: "withdraw", container });
    expect((await use().observe()).current).toBeUndefined();
    const seen = await use().look();
    expect(seen.files.has("current.json")).toBe(false);
    expect(Object.values(seen.containers)).not.toContain("running");
  });
}

function unwrittenCase(use: () => HostRig): void {
  test("a switch that cannot be written leaves running what ran, and nothing else", async () => {
    const before = (await use().target(use().spec())).current.runtime;
    const spec = use().spec("three", {}, "2");
    const { current } = await use().prepare(spec);
    const context = use().context(spec, await use().observe());
    await use().bench.meddle.blockCurrent(async () => {
      const step = { kind: "switch", current, previous: undefined } as const;
      await expect(use().session.carryOut(step, context)).rejects.toMatchObject({
        code: "file-failed",
      });
    });
    expect((await use().look()).containers).toMatchObject({
      [before]: "running",
      [current.runtime]: "exited",
    });
    await expectLive(use(), before);
  });
}

async function expectLive(rig: HostRig, runtime: string): Promise<void> {
  const { containers, files } = await rig.look();
  expect(containers[runtime]).toBe("running");
  expect(JSON.parse(files.get("current.json")?.text ?? "{}")).toMatchObject({ runtime });
}
