import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostBench } from "./host-bench.ts";
import { cutCases } from "./host-cut-cases.ts";
import { doorCases } from "./host-door-cases.ts";
import { fileCases } from "./host-file-cases.ts";
import { imageCases, networkCases } from "./host-image-cases.ts";
import { ingressCases } from "./host-ingress-cases.ts";
import { lockCases } from "./host-lock-cases.ts";
import { removalCases } from "./host-removal-cases.ts";
import { HostRig } from "./host-rig.ts";
import { runtimeCases } from "./host-runtime-cases.ts";

/**
 * What every implementation of reconcile's HostSession must do, on the state found afterwards.
 * Tests follow one another on one host, as passes do.
 */
export function hostConformance(make: () => Promise<HostBench>): void {
  let rig: HostRig;
  let foreign: string;

  beforeAll(async () => {
    const bench = await make();
    rig = new HostRig(bench, await bench.connect());
    await bench.addForeign();
    foreign = await bench.foreign();
  });

  afterAll(async () => {
    await rig?.session.close();
    await rig?.bench.close();
  });

  const use = () => rig;
  describe("files", () => fileCases(use));
  describe("images", () => imageCases(use));
  describe("the network", () => networkCases(use));
  describe("the lock", () => lockCases(use));
  describe("the runtime", () => runtimeCases(use));
  describe("the door", () => doorCases(use));
  describe("the ingress", () => ingressCases(use));
  describe("removing", () => removalCases(use));
  describe("a connection that is cut", () => cutCases(use));

  test("what is not ours is as it was before all this", async () => {
    expect(await rig.bench.foreign()).toBe(foreign);
  });

  test("a session that was closed is not alive, and takes no more calls", async () => {
    const session = await rig.bench.connect();
    expect(session.isAlive()).toBe(true);
    await session.close();
    expect(session.isAlive()).toBe(false);
    await expect(session.observe(rig.bench.project)).rejects.toBeDefined();
  });
}
