import { beforeAll, expect, test } from "vitest";
import { treeHash } from "../../src/core/fingerprint.ts";
import type { Step } from "../../src/core/plan.ts";
import type { Target } from "../../src/core/target.ts";
import { freePort } from "../lab/free-port.ts";
import type { Cut } from "./host-bench.ts";
import { doorOf, type HostRig, releaseStep } from "./host-rig.ts";

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
  "create-door": {
    step: (target) => ({ kind: "create-door", container: doorOf(target) }),
    undo: (rig, target) => removal(rig, "container", doorOf(target).name),
    isDone: async (rig, target) => (await rig.look()).containers[doorOf(target).name] === "created",
  },
  switch: {
    step: ({ current }) => ({ kind: "switch", current, previous: undefined }),
    undo: (rig, { container }) => rig.do({ kind: "withdraw", container: container.name }),
    isDone: async (rig, { current, container, door }) => {
      const { containers } = await rig.look();
      const states = [container, door].map((each) => containers[each?.name ?? ""]);
      const isLive = (await rig.observe()).current?.revision === current.revision;
      return isLive && states.every((state) => state === "running");
    },
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

/** How often one step is cut, evenly over its effects. */
const CUTS = 4;

/** Every step, cut in the middle of its effects and before their answers, then repeated. */
export function cutCases(use: () => HostRig): void {
  let port: number;

  beforeAll(async () => {
    port = await freePort();
  });

  test.each(Object.entries(CASES))(
    "in the middle of %s leaves a host on which its repetition works",
    async (name, one) => {
      const rig = use();
      const target = await rig.prepare(rig.spec("cut", {}, "1", { port }));
      await one.undo?.(rig, target);
      const effects = await carryOutCut(rig, target, one.step(target), undefined);
      for (const cut of cutsOf(effects)) {
        await one.undo?.(rig, target);
        await carryOutCut(rig, target, one.step(target), cut);
        await rig.do(one.step(target), target.spec);
        expect(await one.isDone(rig, target), `${name}, ${cut.when} ${cut.at}`).toBe(true);
      }
      const { temporary } = await rig.observe();
      if (temporary.length > 0) await rig.do({ kind: "sweep", paths: temporary });
      expect((await rig.observe()).temporary).toEqual([]);
    },
  );
}

function cutsOf(effects: number): readonly Cut[] {
  expect(effects).toBeGreaterThan(0);
  return Array.from({ length: Math.min(CUTS, effects * 2) }, (_, index) => ({
    at: Math.round((index * (effects - 1)) / (CUTS - 1)),
    when: index % 2 === 0 ? "during" : "after",
  }));
}

/** Carries a step out on a connection of its own, which ends at the cut; returns its effects. */
async function carryOutCut(
  rig: HostRig,
  target: Target,
  step: Step,
  cut: Cut | undefined,
): Promise<number> {
  const never: Cut = { at: Number.POSITIVE_INFINITY, when: "after" };
  const { session, effects, arm } = await rig.bench.connectCut(cut ?? never);
  try {
    const observed = await rig.observe();
    arm();
    const carried = session.carryOut(step, rig.context(target.spec, observed));
    if (cut === undefined) await carried;
    else {
      // A step may end well all the same, when only its tidying up was cut.
      const error = await carried.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error !== undefined) expect(error).toMatchObject({ blame: "transient" });
      if (effects() > cut.at) await expect.poll(() => session.isAlive()).toBe(false);
    }
    return effects();
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
