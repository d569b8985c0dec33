import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { KnownHost } from "../../../src/core/known-host.ts";
import { LABELS } from "../../../src/core/names.ts";
import { generateSshKeyPair } from "../../../src/provisioning/ssh-key-pair.ts";
import { openControllerStore, readControllerStore } from "../../../src/state/controller-store.ts";
import { projectOn } from "../../memory-host/machine.ts";
import { provisionWorld } from "./provision-world.ts";

/** What a store knows of a host that it deployed to; nothing listens there. */
const HELD: KnownHost = {
  address: {
    ...{ host: "web-1", provider: "vultr", address: "127.0.0.1", port: 1, user: "deploy" },
    labels: {},
  },
  ...{ inventory: { items: [] }, agents: ["dev"] },
};

test("a host's machine and firewall are given back after a yes, and forgotten", async () => {
  const { operator, ids, standIn, lock } = provisionWorld();
  const ann = operator();
  await ann.provision(undefined, true);
  const asked = await ann.deprovision("web-1");
  expect(asked.code).toBe(2);
  expect(asked.said).toContain("with its firewall; all data on it is lost\n");
  expect(asked.said).toContain("to do this: al deprovision web-1 --yes\n");
  const forced = await ann.deprovision("web-1", { force: true });
  expect(forced.said).toContain("to do this: al deprovision web-1 --force --yes\n");
  expect(ids()).toHaveLength(2);
  expect(await ann.deprovision("web-1", { yes: true })).toMatchObject({ code: 0 });
  expect(ids()).toHaveLength(1);
  expect(standIn.account.groups.size).toBe(1);
  expect(Object.keys(lock().hosts as object)).toEqual(["web-2"]);
  const again = await ann.deprovision("web-1", { yes: true });
  expect(again.code).toBe(1);
  expect(again.said).toContain("no machine of host web-1 was ordered from here");
  expect((await ann.provision(undefined, false)).said).toContain("web-1: a new machine");
});

test("one that was cut off is finished by the same command", async () => {
  const { operator, ids, standIn } = provisionWorld();
  const ann = operator();
  await ann.provision("web-1", true);
  const does = { kind: "answer", status: 403, error: "scripted" } as const;
  standIn.inject({ method: "DELETE", path: "/firewalls", does });
  expect(await ann.deprovision("web-1", { yes: true })).toMatchObject({ code: 1 });
  expect(ids()).toEqual([]);
  expect(standIn.account.groups.size).toBe(1);
  expect(await ann.deprovision("web-1", { yes: true })).toMatchObject({ code: 0 });
  expect(standIn.account.groups.size).toBe(0);
});

test("another operator's machine is not given back from here", async () => {
  const { operator, ids } = provisionWorld();
  await operator().provision("web-1", true);
  const { code, said } = await operator().deprovision("web-1", { yes: true, force: true });
  expect(code).toBe(1);
  expect(said).toContain(
    `fleet.lock.toml names machine ${ids()[0]}, which was not made from here: left alone. To deploy to it: al approve. Who ordered it gives it back: al deprovision web-1\n`,
  );
  expect(ids()).toHaveLength(1);
});

test("another operator's machine that is gone leaves lines in fleet.lock.toml, which is said", async () => {
  const { operator, ids, standIn } = provisionWorld();
  await operator().provision("web-1", true);
  const [id = ""] = ids();
  await standIn.account.delete(id);
  const { code, said } = await operator().deprovision("web-1", { yes: true });
  expect(code).toBe(1);
  expect(said).toContain(
    `machine ${id}, which was not made from here and is not in the account of your key: if it was removed, take [hosts.web-1] out of fleet.lock.toml, then: al provision web-1\n`,
  );
});

test("what another store deployed there is waited for and removed, too", async () => {
  const { operator, ids, lock, hostAt } = provisionWorld();
  const ann = operator();
  await ann.provision("web-1", true);
  const { address } = (lock().hosts as Record<string, { address: string }>)["web-1"] ?? {};
  const machine = hostAt("web-1", address ?? "");
  projectOn(machine, "acme").key = "0".repeat(64);
  const labels = { [LABELS.project]: "acme", [LABELS.role]: "run" };
  machine.containers.set("run-1", { image: "x", labels, state: "running" });
  const refused = await ann.deprovision("web-1", { yes: true });
  expect(refused.code).toBe(1);
  expect(refused.said).toContain("it is stopped, and 1 run is under way there");
  expect(ids()).toHaveLength(1);
  machine.containers.clear();
  expect(await ann.deprovision("web-1", { yes: true })).toMatchObject({ code: 0 });
  expect(machine.projects.has("acme")).toBe(false);
  expect(ids()).toEqual([]);
});

test("a machine that may hold something and whose key is not approved is kept without --force", async () => {
  const { operator, ids } = provisionWorld();
  const ann = operator();
  await ann.provision("web-1", true);
  const database = new DatabaseSync(join(ann.storePath, "store.db"));
  database.exec("DELETE FROM host_key");
  database.close();
  const { code, said } = await ann.deprovision("web-1", { yes: true });
  expect(code).toBe(1);
  expect(said).toContain(
    "was not emptied, and is kept: it may hold what is ours, and its host key",
  );
  expect(said).toContain("al deprovision web-1 --force");
  expect(ids()).toHaveLength(1);
  expect(await ann.deprovision("web-1", { yes: true, force: true })).toMatchObject({ code: 0 });
  expect(ids()).toEqual([]);
});

test("a machine that was never ready is given back as it is", async () => {
  const { operator, left } = provisionWorld();
  const ann = operator({ calls: 1 });
  expect(await ann.provision("web-1", true)).toMatchObject({ code: 1 });
  expect(await ann.deprovision("web-1", { yes: true })).toMatchObject({ code: 0 });
  expect(left()).toEqual({ machines: 0, firewalls: 0, keys: 0 });
});

test("a leftover order is given back, and a colleague's host stays as it is", async () => {
  const { operator, ids, provider, deps, lock, left } = provisionWorld();
  await operator().provision("web-1", true);
  const [theirs = ""] = ids();
  const bob = operator();
  const store = openControllerStore(bob.storePath);
  const attempts = [{ nonce: "late", hostKey: "ssh-ed25519 KEY" }];
  store.recordMachine({ host: "web-1", attempts, machine: undefined });
  store.remember(HELD);
  store.close();
  const tags = ["al-project-acme", "al-host-web-1", "al-nonce-late"];
  await provider().createMachine({
    ...{ name: "web-1", region: "ams", plan: "vc2-1c-1gb", os: "debian-13", ipv6: false, tags },
    userData: (await deps().firstBoot()).userData,
  });
  expect(ids()).toHaveLength(2);
  const before = lock();
  const { code, said } = await bob.deprovision("web-1", { yes: true });
  expect({ code, said }).toMatchObject({ code: 0 });
  expect(said).toContain(`  machine ${theirs}, not ordered from here, stays, with its firewall\n`);
  expect(ids()).toEqual([theirs]);
  expect(left()).toMatchObject({ machines: 1, firewalls: 1 });
  expect(lock()).toEqual(before);
  const after = readControllerStore(bob.storePath);
  expect([after.machineRecord("web-1"), after.knownHosts()]).toEqual([undefined, [HELD]]);
  after.close();
});

test("a machine that is gone from its provider is forgotten, and nothing is asked of it", async () => {
  const { operator, ids, standIn, left } = provisionWorld();
  const ann = operator();
  await ann.provision("web-1", true);
  const [id = ""] = ids();
  const store = openControllerStore(ann.storePath);
  store.remember(HELD);
  store.close();
  await standIn.account.delete(id);
  const { code, said } = await ann.deprovision("web-1", { yes: true });
  expect({ code, said }).toMatchObject({ code: 0 });
  expect(said).toContain(`machine ${id} is gone from its provider; it is forgotten`);
  expect(left()).toEqual({ machines: 0, firewalls: 0, keys: 0 });
  const after = readControllerStore(ann.storePath);
  expect([after.machineRecord("web-1"), after.knownHosts()]).toEqual([undefined, []]);
  after.close();
});

test("a host that cannot be emptied is kept, unless that is what is asked for", async () => {
  const { operator, ids } = provisionWorld();
  const ann = operator();
  await ann.provision("web-1", true);
  const directory = join(ann.home, "credentials", "vps_ssh", "default");
  mkdirSync(directory, { recursive: true });
  const { privateKey } = generateSshKeyPair();
  writeFileSync(join(directory, "private_key"), privateKey.reveal(), { mode: 0o600 });
  const store = openControllerStore(ann.storePath);
  store.remember(HELD);
  store.close();
  const { code, said } = await ann.deprovision("web-1", { yes: true });
  expect(code).toBe(1);
  expect(said).toContain("host web-1 was not emptied, and is kept: cannot reach host web-1");
  expect(said).toContain("al deprovision web-1 --force");
  expect(ids()).toHaveLength(1);
  expect(await ann.deprovision("web-1", { yes: true, force: true })).toMatchObject({ code: 0 });
  expect(ids()).toEqual([]);
  const after = readControllerStore(ann.storePath);
  expect(after.knownHosts()).toEqual([]);
  after.close();
});
