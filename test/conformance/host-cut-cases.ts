import { expect, test } from "vitest";
import { treeHash } from "../../src/core/fingerprint.ts";
import type { Step } from "../../src/core/plan.ts";
import type { Target } from "../../src/core/target.ts";
import type { Cut } from "./host-bench.ts";
import { type HostRig, releaseStep } from "./host-rig.ts";

/** A step, how to undo it for another try, and whether its effect is there. */
interface CutCase {
  readonly step: (target: Target) => Step;
  readonly undo?: (rig: HostRig, target: Target) => Promise<unknown>;
  readonly isDone: (rig: HostRig, target: Target) => Promise<boolean>;
}

const CASES: Readonly<Record<string, CutCase>> = {
  "prepare-project": {
    step: () => ({ kind: "prepare-project" }),
    isDone: async (rig) => (await rig.observe()).credentialKey === rig.proposedKey.reveal(),
  },
  "record-inventory": {
    step: ({ inventory }) => ({ kind: "record-inventory", inventory }),
    undo: (rig) => rig.do({ kind: "record-inventory", inventory: { items: [] } }),
    isDone: async (rig, { inventory }) =>
      (await rig.inventory()).items.length === inventory.items.length,
  },
  "write-release": {
    step: ({ spec }) => releaseStep(spec),
    undo: (rig, { spec }) => removal(rig, "release", spec.release.hash),
    isDone: async (rig, { spec }) => {
      const { releases } = await rig.observe();
      const found = releases.find(({ name }) => name === spec.release.hash);
      return treeHash(found?.files ?? []) === spec.release.hash;
    },
  },
  "write-credentials": {
    step: ({ credentials }) => ({ kind: "write-credentials", ...credentials }),
    undo: (rig, { credentials }) => removal(rig, "credentials", credentials.hash),
    isDone: async (rig, { credentials }) => {
      const { credentialSets } = await rig.observe();
      const found = credentialSets.find(({ name }) => name === credentials.hash);
      return treeHash(found?.files ?? []) === credentials.hash;
    },
  },
  "deliver-image": {
    step: (target) => ({ kind: "deliver-image", image: agentImage(target) }),
    undo: (rig, target) => removal(rig, "image", agentImage(target).reference),
    isDone: async (rig, target) => (await rig.look()).images.includes(agentImage(target).reference),
  },
  "create-network": {
    step: ({ network }) => ({ kind: "create-network", network }),
    undo: (rig, { network }) => removal(rig, "network", network.name),
    isDone: async (rig, { network }) => (await rig.look()).subnet === network.subnet,
  },
  "create-runtime": {
    step: ({ container }) => ({ kind: "create-runtime", container }),
    undo: (rig, { container }) => removal(rig, "container", container.name),
    isDone: async (rig, { container }) =>
      (await rig.look()).containers[container.name] === "created",
  },
  switch: {
    step: ({ current }) => ({ kind: "switch", current, previous: undefined }),
    undo: (rig, { container }) => rig.do({ kind: "withdraw", container: container.name }),
    isDone: async (rig, { current, container }) =>
      (await rig.observe()).current?.revision === current.revision &&
      (await rig.look()).containers[container.name] === "running",
  },
  withdraw: {
    step: ({ container }) => ({ kind: "withdraw", container: container.name }),
    undo: (rig, { current }) => rig.do({ kind: "switch", current, previous: undefined }),
    isDone: async (rig, { container }) =>
      (await rig.observe()).current === undefined &&
      (await rig.look()).containers[container.name] === "exited",
  },
  remove: {
    step: ({ spec }) => ({ kind: "remove", item: { kind: "release", id: spec.release.hash } }),
    undo: async (rig, { spec, inventory }) => {
      await rig.do(releaseStep(spec), spec);
      await rig.do({ kind: "record-inventory", inventory }, spec);
    },
    isDone: async (rig, { spec }) => {
      const { releases, inventory } = await rig.observe();
      const isThere = releases.some(({ name }) => name === spec.release.hash);
      return !isThere && !inventory.items.some(({ id }) => id === spec.release.hash);
    },
  },
};

/** The most cuts of one step; further ones would only repeat themselves. */
const MAX_CUTS = 6;

/** Every step, cut in the middle of each of its effects and before each answer, then repeated. */
export function cutCases(use: () => HostRig): void {
  test.each(Object.entries(CASES))(
    "in the middle of %s leaves a host on which its repetition works",
    async (name, one) => {
      const rig = use();
      const target = await rig.prepare(rig.spec("cut"));
      let cuts = 0;
      for (let at = 0; at < MAX_CUTS; at++) {
        await one.undo?.(rig, target);
        const wasCut = await carryOutCut(rig, target, one.step(target), {
          at,
          when: at % 2 === 0 ? "during" : "after",
        });
        if (!wasCut) break;
        cuts += 1;
        await rig.do(one.step(target), target.spec);
        expect(await one.isDone(rig, target), `${name}, cut ${at}`).toBe(true);
      }
      expect(cuts).toBeGreaterThan(0);
      const { temporary } = await rig.observe();
      if (temporary.length > 0) await rig.do({ kind: "sweep", paths: temporary });
      expect((await rig.observe()).temporary).toEqual([]);
    },
  );
}

/** Carries a step out on a connection of its own that ends; false when the step was over before. */
async function carryOutCut(rig: HostRig, target: Target, step: Step, cut: Cut): Promise<boolean> {
  const { session, wasCut, arm } = await rig.bench.connectCut(cut);
  try {
    const observed = await rig.observe();
    arm();
    const error = await session
      .carryOut(step, rig.context(target.spec, observed))
      .then(() => undefined)
      .catch((thrown: unknown) => thrown);
    if (!wasCut()) {
      if (error !== undefined) throw error;
      return false;
    }
    expect(error).toMatchObject({ blame: "transient" });
    await expect.poll(() => session.isAlive()).toBe(false);
    return true;
  } finally {
    await session.close();
  }
}

function agentImage({ spec }: Target) {
  const image = spec.images.find(({ name }) => name === "agent-dev");
  if (!image) throw new Error("the spec has no agent's image");
  return image;
}

function removal(
  rig: HostRig,
  kind: "release" | "credentials" | "image" | "network" | "container",
  id: string,
) {
  return rig.do({ kind: "remove", item: { kind, id } });
}
