import { expect, test } from "vitest";
import { explainIngressFlaw } from "../../src/core/standing-drift.ts";
import { type HostRig, ingressOf } from "./host-rig.ts";

const NAME = "agents.example.com";

/** Steps that make an ingress and remove what it kept; none is started, since its ports may be taken. */
export function ingressCases(use: () => HostRig): void {
  const published = () => use().spec("one", {}, "1", { port: 8080, public: NAME });

  test("an ingress is made with the directories it sees, and is found to be as it was made", async () => {
    const target = await use().prepare(published());
    const container = ingressOf(target);
    await use().doTwice({ kind: "create-ingress", container }, published());
    const observed = await use().observe();
    const { name, specHash, image } = container;
    expect(observed.containers.filter(({ role }) => role === "ingress")).toMatchObject([
      { name, specHash, image, state: "created" },
    ]);
    expect(observed.entries).toContain("ingress");
    expect(observed.entries).toContain(`certificates/${NAME}`);
    expect(explainIngressFlaw(target, observed)).toBeUndefined();
  });

  test("one that is made anew keeps its certificates", async () => {
    const container = ingressOf(await use().target(published()));
    await use().doTwice({ kind: "replace-ingress", container }, published());
    expect((await use().observe()).entries).toContain(`certificates/${NAME}`);
  });

  test("its certificates go when their name does, and what lacks them is flawed", async () => {
    const target = await use().target(published());
    const item = { kind: "certificates", id: NAME } as const;
    await use().doTwice({ kind: "remove", item }, published());
    const observed = await use().observe();
    expect(observed.entries).not.toContain(`certificates/${NAME}`);
    expect(explainIngressFlaw(target, observed)).toContain("certificates was removed");
    const own = { kind: "container", id: ingressOf(target).name } as const;
    await use().doTwice({ kind: "remove", item: own }, published());
    const { containers } = await use().observe();
    expect(containers.filter(({ role }) => role === "ingress")).toEqual([]);
  });
}
