import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Machine } from "../../src/core/machine.ts";
import { awaitMachine } from "../../src/provisioning/await-machine.ts";
import { troubleCases } from "./provider-trouble-cases.ts";
import { type ProviderWorld, requestFor } from "./provider-world.ts";

const RULES = [
  { protocol: "tcp", port: 22, from: "203.0.113.7/32" },
  { protocol: "tcp", port: 443, from: "0.0.0.0/0" },
  { protocol: "tcp", port: 443, from: "::/0" },
] as const;

/** The id of nothing. */
const NONE = "0b7a3c8e-0000-4000-8000-000000000000";

/** What every provider of machines has to do, as the port says it. */
export function providerConformance(
  name: string,
  start: () => ProviderWorld | Promise<ProviderWorld>,
): void {
  describe(`the provider ${name}`, () => {
    let world: ProviderWorld;
    const open = () => world;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close?.());
    catalogueCases(open);
    machineCases(open);
    firewallCases(open);
    keyCases(open);
    troubleCases(open);
  });
}

function catalogueCases(open: () => ProviderWorld): void {
  test("says whose key it is", async () => {
    expect(await open().provider.account()).toMatch(/./);
  });

  test("lists plans by price, with regions and oses that can be chosen", async () => {
    const { provider, choice } = open();
    const { plans, regions, oses } = await provider.catalogue();
    const prices = plans.map(({ monthlyUsd }) => monthlyUsd);
    expect(prices).toEqual(prices.toSorted((a, b) => a - b));
    expect(plans.find(({ id }) => id === choice.plan)?.regions).toContain(choice.region);
    expect(regions.map(({ id }) => id)).toContain(choice.region);
    expect(oses).toEqual(["debian-13", "debian-12", "ubuntu-24.04"]);
  });

  test("checks a choice before anything is made, and says what can be had", async () => {
    const { provider, choice } = open();
    const good = { region: choice.region, plan: choice.plan, os: "debian-12" } as const;
    expect(await provider.checkChoice(good)).toMatchObject({ id: choice.plan });
    const refused = { blame: "user", hint: expect.stringContaining("Choose among these") };
    const check = (change: object) => provider.checkChoice({ ...good, ...change });
    await expect(check({ region: "mars" })).rejects.toMatchObject({
      ...refused,
      code: "no-such-region",
    });
    await expect(check({ plan: "huge" })).rejects.toMatchObject({
      ...refused,
      code: "no-such-plan",
    });
    await expect(check({ plan: choice.notHere })).rejects.toMatchObject({
      ...refused,
      code: "plan-not-in-region",
    });
  });

  test("refuses a wrong key with the same error everywhere", async () => {
    const world = open();
    const { withWrongKey: provider } = world;
    const calls = [
      () => provider.account(),
      () => provider.createMachine(requestFor(world)),
      () => provider.findMachines("al-project-acme"),
      () => provider.getMachine("1"),
      () => provider.deleteMachine("1"),
      () => provider.attachFirewall("1", "2"),
      () => provider.ensureFirewall({ name: "al/acme/web-1", rules: [] }),
      () => provider.listSshKeys(),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({ code: "provider-key-refused", blame: "user" });
    }
  });
}

function machineCases(open: () => ProviderWorld): void {
  test("a machine starts without an address and is ready with one", async () => {
    const world = open();
    const { provider, clock } = world;
    const made = await provider.createMachine(requestFor(world, ["al-project-acme", "mine"]));
    expect(made).toMatchObject({ state: "starting", address: undefined, region: "ams" });
    expect(made.tags).toEqual(["al-project-acme", "mine"]);
    const seen: (string | undefined)[] = [];
    const onLook = (machine: Machine | undefined) => seen.push(machine?.state);
    const ready = await awaitMachine(made.id, { provider, clock, onLook, host: "web-1" });
    expect(ready).toMatchObject({ id: made.id, state: "ready" });
    expect(ready.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(ready.ipv6).toMatch(/:/);
    expect(seen).toContain("starting");
  });

  test("machines are found by a whole tag, oldest first, and by id", async () => {
    const world = open();
    const { provider, clock } = world;
    const ids: string[] = [];
    for (const tag of ["al-project-acme", "al-project-acme", "al-project-acme-2"]) {
      ids.push((await provider.createMachine(requestFor(world, [tag]))).id);
      await clock.sleep(5_000);
    }
    const found = await provider.findMachines("al-project-acme");
    expect(found.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect((await provider.getMachine(ids[2] ?? ""))?.id).toBe(ids[2]);
    expect(await provider.getMachine(NONE)).toBeUndefined();
  });

  test("deleting twice is deleting once", async () => {
    const world = open();
    const { provider } = world;
    const { id } = await provider.createMachine(requestFor(world));
    await provider.deleteMachine(id);
    await provider.deleteMachine(id);
    expect(await provider.getMachine(id)).toBeUndefined();
  });

  test("a machine that is still being installed is given back", async () => {
    const world = open();
    const { provider, clock } = world;
    const { id } = await provider.createMachine(requestFor(world, ["al-project-acme"]));
    await clock.sleep(5_000);
    expect((await provider.getMachine(id))?.state).toBe("starting");
    await provider.deleteMachine(id);
    expect(await provider.findMachines("al-project-acme")).toEqual([]);
  });

  test("a firewall that is none is behind no machine", async () => {
    const world = open();
    const request = { ...requestFor(world), firewallId: NONE };
    await expect(world.provider.createMachine(request)).rejects.toMatchObject({
      ...{ code: "provider-refused", blame: "user" },
    });
    expect(world.machinesMade()).toBe(0);
  });

  test("an aborted call ends with the reason", async () => {
    const { provider } = open();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(provider.catalogue({ signal })).rejects.toThrow("enough");
  });
}

function firewallCases(open: () => ProviderWorld): void {
  const name = "al/acme/web-1";

  test("a firewall is made once, keeps its id, and follows its rules both ways", async () => {
    const { provider, rulesOf } = open();
    const id = await provider.ensureFirewall({ name, rules: RULES });
    for (const rules of [RULES, RULES.slice(1), RULES.slice(0, 1), [], RULES]) {
      expect(await provider.ensureFirewall({ name, rules })).toBe(id);
      const wanted = rules.map(({ protocol, port, from }) => `${protocol} ${port} ${from}`);
      expect(rulesOf(id)).toEqual(wanted.sort());
    }
    expect(await provider.listFirewalls()).toEqual([{ id, name }]);
  });

  test("what a firewall lacks and lets in besides is told, and nothing is changed by that", async () => {
    const { provider } = open();
    const [ssh, web, web6] = RULES;
    const difference = () => provider.firewallDifference({ name, rules: [ssh, web] });
    expect(await difference()).toEqual({ ids: [], missing: [ssh, web], extra: [] });
    const id = await provider.ensureFirewall({ name, rules: [ssh, web6] });
    const found = { ids: [id], missing: [web], extra: [expect.stringContaining("::/0")] };
    expect(await difference()).toEqual(found);
    expect(await difference()).toEqual(found);
    await provider.ensureFirewall({ name, rules: [ssh, web] });
    expect(await difference()).toEqual({ ids: [id], missing: [], extra: [] });
  });

  test("a machine is put behind a firewall, however often, and behind one only", async () => {
    const world = open();
    const { provider, clock } = world;
    const { id } = await provider.createMachine(requestFor(world));
    await clock.sleep(60_000);
    const [one, other] = [
      await provider.ensureFirewall({ name, rules: RULES }),
      await provider.ensureFirewall({ name: "al/acme/web-2", rules: [] }),
    ];
    for (const firewallId of [one, one, other]) {
      await provider.attachFirewall(id, firewallId);
      expect(await provider.getMachine(id)).toMatchObject({ firewallId });
    }
    await expect(provider.attachFirewall(id, NONE)).rejects.toMatchObject({ blame: "user" });
    await expect(provider.attachFirewall(NONE, one)).rejects.toMatchObject({ blame: "user" });
    await provider.removeFirewall(name);
  });

  test("a firewall in use stays, and goes when its machine has gone", async () => {
    const world = open();
    const { provider, clock } = world;
    const firewallId = await provider.ensureFirewall({ name, rules: RULES });
    const machine = await provider.createMachine({ ...requestFor(world), firewallId });
    expect(machine.firewallId).toBe(firewallId);
    await clock.sleep(5_000);
    await expect(provider.removeFirewall(name)).rejects.toMatchObject({ code: "firewall-in-use" });
    await provider.deleteMachine(machine.id);
    await provider.removeFirewall(name);
    await provider.removeFirewall(name);
    expect(await provider.listFirewalls()).toEqual([]);
  });
}

/** More than any page of a stand-in with small ones. */
const MANY = [1, 2, 3, 4, 5];

function keyCases(open: () => ProviderWorld): void {
  test("a public key is listed, and removed by its name", async () => {
    const { provider, putSshKey } = open();
    const name = "al/acme/web-1";
    const id = putSshKey(name);
    expect(await provider.listSshKeys()).toEqual([{ id, name }]);
    await provider.removeSshKey(name);
    await provider.removeSshKey(name);
    expect(await provider.listSshKeys()).toEqual([]);
  });

  test("lists are whole, and removing takes nothing of another name", async () => {
    const world = open();
    const { provider, clock } = world;
    for (const number of MANY) {
      const name = `al/acme/web-${number}`;
      await provider.ensureFirewall({ name, rules: [] });
      world.putSshKey(name);
      await provider.createMachine(requestFor(world, ["al-project-acme"]));
    }
    await clock.sleep(5_000);
    expect(await provider.findMachines("al-project-acme")).toHaveLength(MANY.length);
    await provider.removeFirewall("al/acme/web-1");
    await provider.removeSshKey("al/acme/web-1");
    const names = MANY.slice(1).map((number) => `al/acme/web-${number}`);
    expect((await provider.listFirewalls()).map((one) => one.name).sort()).toEqual(names);
    expect((await provider.listSshKeys()).map((one) => one.name).sort()).toEqual(names);
  });
}
