import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openControllerStore } from "../../../src/state/controller-store.ts";
import { provisionWorld } from "./provision-world.ts";

test("what is certainly ours and has no host goes after a yes, and nothing else", async () => {
  const { operator, provider, deps, standIn, ids } = provisionWorld();
  const ann = operator();
  await ann.provision("web-1", true);
  const [kept] = ids();
  const vultr = provider();
  for (const name of ["al/acme/old", "al/acme/mine", "office"]) {
    await vultr.ensureFirewall({ name, rules: [] });
  }
  const store = openControllerStore(ann.storePath);
  const record = store.machineRecord("web-1");
  if (!record) throw new Error("no record");
  const late = { nonce: "late", hostKey: "ssh-ed25519 KEY" };
  store.recordMachine({ ...record, attempts: [...record.attempts, late] });
  store.close();
  const tags = ["al-project-acme", "al-host-web-1", "al-nonce-late"];
  const surplus = await vultr.createMachine({
    ...{ name: "web-1", region: "ams", plan: "vc2-1c-1gb", os: "debian-13", ipv6: false, tags },
    userData: (await deps().firstBoot()).userData,
  });
  const listed = await ann.gc(undefined, false);
  expect(listed.code).toBe(2);
  expect(listed.said).toContain(`machine ${surplus.id} (`);
  expect(listed.said).toContain("for host web-1: the host has another one\n");
  expect(listed.said).toContain("firewall al/acme/old: no host has it\n");
  expect(listed.said).not.toMatch(/office|al\/acme\/mine/);
  expect(ids()).toEqual([kept, surplus.id]);
  expect(await ann.gc(undefined, true)).toMatchObject({ code: 0 });
  expect(ids()).toEqual([kept]);
  const names = [...standIn.account.groups.values()].map(({ description }) => description);
  expect(names.sort()).toEqual(["al/acme/mine", "al/acme/web-1", "office"]);
  expect(await ann.gc(undefined, true)).toEqual({
    code: 0,
    said: "nothing of acme is left behind\n",
  });
});

test("a machine that nobody here ordered stays with its firewall, unless its id is given", async () => {
  const { operator, provider, deps, ids, standIn } = provisionWorld();
  const vultr = provider();
  const firewallId = await vultr.ensureFirewall({ name: "al/acme/old", rules: [] });
  const tags = ["al-project-acme", "al-host-old", "al-nonce-theirs"];
  const { id } = await vultr.createMachine({
    ...{ name: "old", region: "ams", plan: "vc2-1c-1gb", os: "debian-13", ipv6: false, tags },
    ...{ firewallId, userData: (await deps().firstBoot()).userData },
  });
  const ann = operator();
  const { code, said } = await ann.gc(undefined, true);
  expect(code).toBe(0);
  expect(said).toContain(
    `not ordered from here; another operator's? To remove it: al provision --gc ${id}`,
  );
  expect(said).toContain("firewall al/acme/old: of host old, whose machine stays");
  expect(ids()).toEqual([id]);
  const wrong = await ann.gc("another", true);
  expect(wrong).toMatchObject({
    code: 1,
    said: expect.stringContaining("machine another is none"),
  });
  expect(await ann.gc(id, false, true)).toMatchObject({ code: 2 });
  expect(ids()).toEqual([id]);
  expect(await ann.gc(id, true)).toMatchObject({ code: 0 });
  expect(ids()).toEqual([]);
  expect(standIn.account.groups.size).toBe(0);
});

test("a machine that fleet.lock.toml names is another operator's, and is not listed", async () => {
  const { operator, ids } = provisionWorld();
  await operator().provision("web-1", true);
  const { code, said } = await operator().gc(undefined, true);
  expect({ code, said }).toEqual({ code: 0, said: "nothing of acme is left behind\n" });
  expect(ids()).toHaveLength(1);
});

test("the firewall of another operator's machine stays, also when its host left fleet.toml", async () => {
  const { operator, project, left } = provisionWorld();
  await operator().provision("web-1", true);
  writeFileSync(join(project, "fleet.toml"), '[project]\nname = "acme"\n');
  const { code, said } = await operator().gc(undefined, true);
  expect({ code, said }).toEqual({ code: 0, said: "nothing of acme is left behind\n" });
  expect(left()).toMatchObject({ machines: 1, firewalls: 1 });
});

test("what cannot be removed is said at the end, once the rest is gone", async () => {
  const { operator, provider, standIn } = provisionWorld();
  for (const name of ["al/acme/a", "al/acme/b"]) {
    await provider().ensureFirewall({ name, rules: [] });
  }
  const does = { kind: "answer", status: 403, error: "scripted" } as const;
  standIn.inject({ method: "DELETE", path: "/firewalls", does });
  const ann = operator();
  const { code, said } = await ann.gc(undefined, true);
  expect(code).toBe(1);
  expect(said).toContain("the others are removed\nerror: firewall al/acme/a was not removed: ");
  expect(standIn.account.groups.size).toBe(1);
  expect(await ann.gc(undefined, true)).toMatchObject({ code: 0 });
  expect(standIn.account.groups.size).toBe(0);
});

test("a machine whose host left fleet.toml is told wherever one would look, and stays", async () => {
  const { operator, project, ids, left } = provisionWorld();
  const ann = operator();
  await ann.provision("web-1", true);
  const [id = ""] = ids();
  writeFileSync(join(project, "fleet.toml"), '[project]\nname = "acme"\n');
  const told = `machine ${id} of host web-1, which fleet.toml no longer asks for, is still paid for: al deprovision web-1\n`;
  expect(await ann.provision(undefined, true)).toEqual({
    code: 0,
    said: `${told}no host of fleet.toml is without its machine\n`,
  });
  expect(await ann.gc(undefined, true)).toEqual({ code: 0, said: told });
  const named = await ann.gc(id, true);
  expect(named.code).toBe(1);
  expect(named.said).toContain("A host's own machine is given back by: al deprovision <host>");
  expect(left()).toMatchObject({ machines: 1, firewalls: 1 });
});
