import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { approvalsIn } from "../../../src/cli/open-provisioning.ts";
import { readControllerStore } from "../../../src/state/controller-store.ts";
import { FLEET, provisionWorld as world } from "./provision-world.ts";

test("without a yes it says what would be made and what that costs, and makes nothing", async () => {
  const { operator, ids, project } = world();
  const ann = operator();
  const { code, said } = await ann.provision(undefined, false);
  expect(said).toBe(`web-1: a new machine
  vultr ams, debian-13, plan vc2-1c-1gb: 1 CPU, 1024 MB, 25 GB disk, $5.00 a month
  user deploy, IPv4
  a firewall that lets in SSH from everywhere
web-2: a new machine
  vultr fra, debian-12, plan vc2-1c-2gb: 1 CPU, 2048 MB, 55 GB disk, $10.00 a month
  user deploy, IPv4 and IPv6, tags team-a
  a firewall that lets in SSH from 203.0.113.7
2 new machines: $15.00 a month, from now on
to do this: al provision --yes
`);
  expect(code).toBe(2);
  expect(ids()).toEqual([]);
  expect(existsSync(ann.storePath)).toBe(false);
  expect(existsSync(join(project, "fleet.lock.toml"))).toBe(false);
});

test("it makes what is missing, writes fleet.lock.toml and approves the machines' own keys", async () => {
  const { operator, ids, lock, machines } = world();
  const ann = operator();
  expect(await ann.provision(undefined, true)).toMatchObject({ code: 0 });
  expect(ids()).toHaveLength(2);
  const hosts = lock().hosts as Record<string, Record<string, string>>;
  expect(Object.keys(hosts)).toEqual(["web-1", "web-2"]);
  const { address = "", hostKey = "" } = hosts["web-1"] ?? {};
  expect(hosts["web-1"]).toMatchObject({ port: 22, user: "deploy" });
  expect(ids()).toContain(hosts["web-1"]?.instanceId);
  expect(machines.at(address).current).toBe(hostKey);
  const store = readControllerStore(ann.storePath);
  expect(approvalsIn(store).isApproved("web-1", hostKey)).toBe(true);
  store.close();
  expect(await ann.provision(undefined, true)).toEqual({
    code: 0,
    said: "no host of fleet.toml is without its machine\n",
  });
  const again = await ann.provision("web-1", true);
  expect(again.code).toBe(0);
  expect(again.said).toContain("web-1: is ready; its firewall lets in SSH from everywhere");
  expect(lock().hosts).toEqual(hosts);
  expect(ids()).toHaveLength(2);
});

test("one that was cut off goes on, also where only fleet.lock.toml was lost", async () => {
  const { operator, ids, lock, project } = world();
  const ann = operator({ calls: 3 });
  expect(await ann.provision("web-1", true)).toMatchObject({ code: 1 });
  const later = operator({}, ann.home);
  const { code, said } = await later.provision(undefined, false);
  expect(code).toBe(2);
  expect(said).toContain("web-1: goes on where an earlier provisioning was cut off\n");
  expect(said).toContain("1 new machine: $10.00 a month");
  expect(await later.provision("web-1", true)).toMatchObject({ code: 0 });
  const before = lock();
  writeFileSync(join(project, "fleet.lock.toml"), "");
  expect(await later.provision("web-1", true)).toMatchObject({ code: 0 });
  expect(lock()).toEqual(before);
  expect(ids()).toHaveLength(1);
});

test("an order that was cut off goes on when its plan is sold out, and no other is sent", async () => {
  const { operator, ids, standIn } = world();
  const ann = operator();
  standIn.inject({ method: "POST", path: "/instances", does: { kind: "lose-answer" } });
  const does = { kind: "answer", status: 403, error: "scripted" } as const;
  standIn.inject({ method: "GET", path: "/instances", after: 1, does });
  expect(await ann.provision("web-1", true)).toMatchObject({ code: 1 });
  const made = ids();
  expect(made).toHaveLength(1);
  standIn.account.switches.soldOut.add("ams vc2-1c-1gb");
  const { code, said } = await ann.provision("web-1", true);
  expect(code).toBe(0);
  expect(said).toContain("web-1: goes on where an earlier provisioning was cut off\n");
  expect(said).not.toContain("a month");
  expect(ids()).toEqual(made);
});

test("an order of which nothing came is refused when its plan is sold out", async () => {
  const { operator, ids, standIn } = world();
  const ann = operator();
  const does = { kind: "answer", status: 500 } as const;
  standIn.inject({ method: "POST", path: "/instances", times: 3, does });
  expect(await ann.provision("web-1", true)).toMatchObject({ code: 1 });
  standIn.account.switches.soldOut.add("ams vc2-1c-1gb");
  const { code, said } = await ann.provision("web-1", true);
  expect({ code, said }).toEqual({ code: 1, said: expect.stringContaining("web-1: error: ") });
  expect(ids()).toEqual([]);
});

test("another operator's machine is left alone, whether fleet.lock.toml names it or not", async () => {
  const { operator, ids, project } = world();
  expect(await operator().provision("web-1", true)).toMatchObject({ code: 0 });
  const bob = operator();
  const known = await bob.provision("web-1", true);
  expect(known.code).toBe(0);
  expect(known.said).toContain("which was not made from here: left alone");
  writeFileSync(join(project, "fleet.lock.toml"), "");
  const unknown = await bob.provision("web-1", true);
  expect(unknown.code).toBe(1);
  expect(unknown.said).toContain("already has machine");
  expect(ids()).toHaveLength(1);
});

test("another operator's machine that is gone is told without being asked about, with the way out", async () => {
  const { operator, ids, standIn, project } = world();
  await operator().provision("web-1", true);
  await standIn.account.delete(ids()[0] ?? "");
  const bob = operator();
  const { code, said } = await bob.provision(undefined, true);
  expect(code).toBe(1);
  expect(said).toContain(
    "is not in the account of your key: if it was removed, take [hosts.web-1] out of fleet.lock.toml, then: al provision web-1\n",
  );
  writeFileSync(join(project, "fleet.lock.toml"), "");
  expect(await bob.provision("web-1", true)).toMatchObject({ code: 0 });
  expect(ids()).toHaveLength(2);
});

test("what cannot be had is said before anything is made", async () => {
  const { operator, ids } = world(FLEET.replace("vc2-1c-2gb", "vc9-9c-9gb"));
  const { code, said } = await operator().provision(undefined, true);
  expect(code).toBe(1);
  expect(said).toContain("web-2: error: Vultr has no plan `vc9-9c-9gb`\n");
  expect(said).toContain("plans in fra: vc2-1c-1gb, vc2-1c-2gb, vc2-2c-4gb");
  expect(ids()).toEqual([]);
});

test.each([
  ["nowhere", "no host nowhere is in fleet.toml"],
  ["mine", "host mine is a machine that you have"],
])("host %s is refused", async (host, message) => {
  const { code, said } = await world().operator().provision(host, true);
  expect({ code, said }).toEqual({ code: 1, said: expect.stringContaining(message) });
  expect(said).toContain("Hosts whose machines are made: web-1, web-2.");
});

test("machines get one object a line", async () => {
  const { said } = await world().operator().provision("web-1", true, true);
  const records = said
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(records[0]).toMatchObject({
    ...{ kind: "provision-plan", monthlyUsd: 5 },
    hosts: [{ host: "web-1", action: "create", plan: { id: "vc2-1c-1gb", monthlyUsd: 5 } }],
  });
  expect(records.at(-1)).toMatchObject({ kind: "provisioned", host: "web-1", port: 22 });
  expect(said).not.toMatch(/PRIVATE KEY|cloud-config/);
});
