import { expect, test } from "vitest";
import { type ProviderWorld, requestFor } from "./provider-world.ts";

/** What a provider has to make of trouble on the way to it, or there. */
export function troubleCases(open: () => ProviderWorld): void {
  const tag = "al-project-acme";

  test.each(["busy", "broken", "cut", "misreported"] as const)(
    "looking and removing outlast a provider that is %s",
    async (kind) => {
      const world = open();
      const { provider, clock, trouble } = world;
      const { id } = await provider.createMachine(requestFor(world, [tag]));
      await clock.sleep(5_000);
      trouble(kind);
      expect(await provider.getMachine(id)).toMatchObject({ id });
      trouble(kind);
      expect(await provider.findMachines(tag)).toHaveLength(1);
      trouble(kind);
      await provider.deleteMachine(id);
      expect(await provider.getMachine(id)).toBeUndefined();
    },
  );

  test("a provider that stays broken is unreachable, which passes", async () => {
    const { provider, trouble } = open();
    trouble("broken", { times: 100 });
    await expect(provider.catalogue()).rejects.toMatchObject({
      ...{ code: "provider-unreachable", blame: "transient" },
      hint: expect.stringContaining("again"),
    });
  });

  test("an answer that cannot be read is told from one that was not given", async () => {
    const { provider, trouble } = open();
    trouble("garbled");
    await expect(provider.catalogue()).rejects.toMatchObject({
      ...{ code: "provider-answer-unreadable", blame: "bug" },
    });
  });

  test.each(["cut", "misreported", "broken", "garbled"] as const)(
    "an order whose answer is %s may have been carried out, and is not sent again",
    async (kind) => {
      const world = open();
      const { provider, trouble, clock, machinesMade } = world;
      trouble(kind, { to: "order", times: 100 });
      await expect(provider.createMachine(requestFor(world, [tag]))).rejects.toMatchObject({
        ...{ code: "provider-answer-lost", blame: "transient" },
        hint: expect.stringContaining("again"),
      });
      await clock.sleep(5_000);
      expect(machinesMade()).toBe(kind === "cut" || kind === "misreported" ? 1 : 0);
      expect(await provider.findMachines(tag)).toHaveLength(machinesMade());
    },
  );

  test("an order that a busy provider did not take is sent again", async () => {
    const world = open();
    world.trouble("busy", { to: "order" });
    await world.provider.createMachine(requestFor(world, [tag]));
    expect(world.machinesMade()).toBe(1);
  });

  test.each([
    ["full", "provider-quota"],
    ["sold-out", "plan-sold-out"],
  ] as const)("where it is %s nothing is made, and it is said what to do", async (kind, code) => {
    const world = open();
    world.trouble(kind);
    const order = world.provider.createMachine(requestFor(world, [tag]));
    await expect(order).rejects.toMatchObject({
      code,
      blame: "user",
      hint: expect.stringMatching(/./),
    });
    expect(world.machinesMade()).toBe(0);
  });
}
