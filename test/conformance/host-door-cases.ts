import { beforeAll, expect, test } from "vitest";
import { explainDoorFlaw } from "../../src/core/standing-drift.ts";
import { freePort } from "../lab/free-port.ts";
import { doorOf, type HostRig } from "./host-rig.ts";

/** Steps that make, start and stop doors; what has one port is never there twice. */
export function doorCases(use: () => HostRig): void {
  let port: number;

  beforeAll(async () => {
    port = await freePort();
  });

  const reached = (revision = "one", door = "1", runtime = "1") =>
    use().spec(revision, {}, runtime, { port, door });

  test("a door is made, but does not run before the switch", async () => {
    const spec = reached();
    const door = doorOf(await use().target(spec));
    for (const image of spec.images) await use().do({ kind: "deliver-image", image }, spec);
    await use().doTwice({ kind: "create-door", container: door }, spec);
    const { containers } = await use().observe();
    const { name, specHash, image } = door;
    expect(containers.filter(({ role }) => role === "door")).toMatchObject([
      { name, specHash, image, state: "created" },
    ]);
  });

  test("a switch starts it, and it is found to be as it was made", async () => {
    const target = await use().deploy(reached());
    await use().do({ kind: "switch", current: target.current, previous: undefined }, reached());
    const observed = await use().observe();
    expect(observed.current).toEqual(target.current);
    expect((await use().look()).containers[doorOf(target).name]).toBe("running");
    expect(observed.containers.find(({ role }) => role === "door")?.facts).toBeDefined();
    expect(explainDoorFlaw(target, observed)).toBeUndefined();
  });

  test("another runtime leaves it running", async () => {
    const before = await use().target(reached());
    const { container } = await use().deploy(reached("two", "1", "2"));
    expect((await use().look()).containers).toMatchObject({
      [doorOf(before).name]: "running",
      [before.container.name]: "exited",
      [container.name]: "running",
    });
  });

  test("another door takes its port, and the one before takes it back", async () => {
    const first = doorOf(await use().target(reached())).name;
    const second = doorOf(await use().deploy(reached("three", "2"))).name;
    expect((await use().look()).containers).toMatchObject({
      [first]: "exited",
      [second]: "running",
    });
    await use().deploy(reached());
    expect((await use().look()).containers).toMatchObject({
      [first]: "running",
      [second]: "exited",
    });
  });

  test("a door that is made anew waits for the switch", async () => {
    const target = await use().target(reached());
    const container = doorOf(target);
    await use().doTwice({ kind: "replace-door", container }, reached());
    expect((await use().look()).containers[container.name]).toBe("created");
    await use().do({ kind: "switch", current: target.current, previous: undefined }, reached());
    expect((await use().look()).containers[container.name]).toBe("running");
  });

  test("a switch to what has no door stops it", async () => {
    const { name } = doorOf(await use().target(reached()));
    const { current } = await use().deploy(use().spec("four"));
    expect((await use().look()).containers).toMatchObject({
      [name]: "exited",
      [current.runtime]: "running",
    });
    expect((await use().observe()).current).toEqual(current);
  });

  test("a withdrawal stops it too", async () => {
    const { container } = await use().deploy(reached());
    await use().doTwice({ kind: "withdraw", container: container.name });
    expect(Object.values((await use().look()).containers)).not.toContain("running");
  });
}
