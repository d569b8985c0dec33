import { expect, test } from "vitest";
import { ensureMachine } from "../../../src/provisioning/ensure-machine.ts";
import {
  hostOfItem,
  itemName,
  ownerOf,
  ownerTags,
} from "../../../src/provisioning/machine-tags.ts";
import { findOrphans, isRemovable, removeOrphans } from "../../../src/provisioning/orphans.ts";
import { releaseMachine } from "../../../src/provisioning/release-machine.ts";
import { fetchFrom, killedAfter } from "../../vultr/in-process.ts";
import { ORDER } from "./order.ts";
import { memoryRecords, provisioningRig } from "./rig.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const kept = { project: "acme", hosts: ["web-1"], machineHosts: ["web-1"], machineIds: [] };

test("only what is certainly of this project is an orphan, and only that is removed", async () => {
  const { ensure, deps, provider, standIn } = provisioningRig();
  const { machine } = await ensure();
  const vultr = provider();
  const [other, theirs] = [memoryRecords().living(), memoryRecords().living()];
  const left = await ensureMachine({ ...ORDER, host: "old" }, deps({ records: other }));
  const known = await ensureMachine({ ...ORDER, host: "web-2" }, deps({ records: other }));
  await ensureMachine({ ...ORDER, project: "acme-2" }, deps({ records: theirs }));
  const user = { ...ORDER, name: "mine", userData: (await deps().firstBoot()).userData };
  await vultr.createMachine({ ...user, tags: ["al-project-acme", "al-host-old"] });
  for (const name of ["al/acme/web-1", "al/acme/old", "al/acme-2/old", "office", "al/acme/a/b"]) {
    await vultr.ensureFirewall({ name, rules: [] });
    standIn.account.putSshKey({ name, ssh_key: KEY });
  }
  const found = await findOrphans({ ...kept, machineIds: [known.machine.id] }, deps());
  expect(found).toMatchObject([
    { kind: "machine", host: "old", why: "unknown", machine: { id: left.machine.id } },
    { kind: "firewall", host: "old", item: { name: "al/acme/old" } },
    { kind: "ssh-key", host: "old", item: { name: "al/acme/old" } },
  ]);
  for (let time = 0; time < 2; time += 1) {
    expect(await removeOrphans(found.filter(isRemovable), vultr)).toEqual([]);
  }
  expect(await findOrphans({ ...kept, machineIds: [known.machine.id] }, deps())).toEqual([]);
  expect(standIn.account.instances.size).toBe(4);
  expect(standIn.account.instances.has(machine.id)).toBe(true);
  expect(standIn.account.groups.size).toBe(4);
  expect(standIn.account.sshKeys.size).toBe(4);
});

test("an order that is still open is no orphan", async () => {
  const { ensureKilled, deps, ids, clock } = provisioningRig();
  // Region, plan, OS, stock, order: the machine is made, and nobody heard of it.
  await ensureKilled(6, "after");
  await clock.sleep(5_000);
  expect(ids()).toHaveLength(1);
  expect(await findOrphans(kept, deps())).toEqual([]);
});

test("what was ordered for a host that left fleet.toml is told, and is not ours to collect", async () => {
  const { ensure, ensureKilled, deps, provider, clock, standIn } = provisioningRig();
  const nowhere = { project: "acme", hosts: [], machineHosts: [], machineIds: [] };
  await ensureKilled(6, "before");
  expect(await findOrphans(nowhere, deps())).toEqual([{ kind: "order", host: "web-1" }]);
  await provider().ensureFirewall({ name: "al/acme/web-1", rules: [] });
  const { machine } = await ensure();
  await clock.sleep(5_000);
  // Whatever fleet.lock.toml still says of it.
  const found = await findOrphans({ ...nowhere, machineIds: [machine.id] }, deps());
  expect(found).toMatchObject([{ kind: "machine", why: "left", machine: { id: machine.id } }]);
  expect(found.filter(isRemovable)).toEqual([]);
  await standIn.account.delete(machine.id);
  expect(await findOrphans(nowhere, deps())).toEqual([{ kind: "order", host: "web-1" }]);
});

test("what cannot be removed does not hold up the rest, and is named", async () => {
  const { deps, provider, standIn } = provisioningRig();
  const vultr = provider();
  for (const name of ["al/acme/a", "al/acme/b"]) await vultr.ensureFirewall({ name, rules: [] });
  const found = (await findOrphans(kept, deps())).filter(isRemovable);
  const does = { kind: "answer", status: 403, error: "scripted" } as const;
  standIn.inject({ method: "DELETE", path: "/firewalls", does });
  const left = await removeOrphans(found, vultr);
  expect(left).toMatchObject([{ orphan: { host: "a" }, error: { blame: "user" } }]);
  expect([...standIn.account.groups.values()]).toMatchObject([{ description: "al/acme/a" }]);
});

test("releasing a host gives back machine, firewall and key, killed at any request", async () => {
  for (const when of ["before", "after"] as const) {
    for (let requests = 1; ; requests += 1) {
      const rig = provisioningRig();
      const { ensure, provider, records, standIn, clock } = rig;
      const vultr = provider();
      const name = itemName(ORDER);
      const firewallId = await vultr.ensureFirewall({ name, rules: [] });
      standIn.account.putSshKey({ name, ssh_key: KEY });
      await ensureMachine({ ...ORDER, firewallId }, rig.deps());
      await ensure();
      const process = killedAfter(fetchFrom(standIn), requests, when);
      const cut = await releaseMachine(ORDER, {
        provider: provider({ fetch: process.fetch }),
        records: records.seenBy(process.isDead),
        clock,
      }).catch((thrown: unknown) => thrown);
      await releaseMachine(ORDER, { provider: vultr, records: records.living(), clock });
      const { instances, groups, sshKeys } = standIn.account;
      expect([instances.size, groups.size, sshKeys.size, records.rows.size]).toEqual([0, 0, 0, 0]);
      if (cut instanceof Error) continue;
      expect(requests).toBeGreaterThan(7);
      break;
    }
  }
});

test("without a record no machine is given back", async () => {
  const { ensure, provider, clock, ids } = provisioningRig();
  await ensure();
  const records = memoryRecords().living();
  await releaseMachine(ORDER, { provider: provider(), records, clock });
  expect(ids()).toHaveLength(1);
});

test("tags say whose a machine is, or nothing at all", () => {
  const owner = { project: "acme", host: "web-1", nonce: "n1" };
  const tags = ownerTags(owner);
  expect(ownerOf({ tags: ["mine", ...tags] })).toEqual(owner);
  expect(ownerOf({ tags: tags.slice(1) })).toBeUndefined();
  expect(ownerOf({ tags: [...tags, "al-host-web-2"] })).toBeUndefined();
  expect(hostOfItem("acme", itemName(owner))).toBe("web-1");
  expect(hostOfItem("acm", itemName(owner))).toBeUndefined();
});

test.each(["old\u001b[2J", "", "Old", "x".repeat(64)])(
  "what says it is of host %j is not ours",
  (host) => {
    expect(hostOfItem("acme", `al/acme/${host}`)).toBeUndefined();
    const tags = ownerTags({ project: "acme", host, nonce: "n1" });
    expect(ownerOf({ tags })).toBeUndefined();
  },
);
