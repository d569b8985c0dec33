import { expect, test } from "vitest";
import {
  type HostOrder,
  type ProvisionDeps,
  type ProvisionOptions,
  provisionHost,
} from "../../../src/provisioning/provision-host.ts";
import type { StandInOptions } from "../../vultr/stand-in.ts";
import { contactUntil, memoryApprovals, memoryMachines } from "./memory-machines.ts";
import { provisioningRig } from "./rig.ts";

const ORDER: HostOrder = {
  ...{ project: "acme", host: "web-1", user: "deploy", isPublic: false },
  machine: {
    ...{ region: "ams", plan: "vc2-1c-1gb", os: "debian-13", tags: [], ipv6: false },
    sshFrom: ["203.0.113.0/24"],
  },
};

function rig(options: StandInOptions = {}) {
  const base = provisioningRig(options);
  const machines = memoryMachines(base.standIn);
  const approvals = memoryApprovals();
  const booted: unknown[] = [];
  const run = (cut: Parameters<typeof contactUntil>[1] = {}, more: ProvisionOptions = {}) => {
    const { contact, isDead } = contactUntil(machines, cut);
    const common = base.deps({ records: base.records.seenBy(isDead) });
    const deps: ProvisionDeps = {
      ...common,
      ...{ contact, approvals: approvals.seenBy(isDead) },
      firstBoot: (boot) => {
        booted.push(boot);
        return common.firstBoot();
      },
    };
    return provisionHost(ORDER, deps, more);
  };
  return { ...base, machines, approvals: approvals.keys, booted, run };
}

test("a host gets a firewall, a machine behind it and a key of the machine's own, which is approved", async () => {
  const { run, standIn, approvals, booted, machines, records } = rig();
  machines.faults.silent = 2;
  machines.faults.lacking = 2;
  machines.faults.stale = 2;
  const steps: string[] = [];
  const made = await run({}, { onStep: (step, waits) => steps.push([step, waits].join(" ")) });
  const [instance] = [...standIn.account.instances.values()];
  const [[groupId, group] = []] = [...standIn.account.groups];
  expect(made).toEqual({
    ...{ host: "web-1", address: "192.0.2.1", port: 22, user: "deploy", isNew: true },
    ...{ instanceId: instance?.id, ipv6: undefined, hostKey: "ssh-ed25519 OWN1" },
  });
  expect(instance?.firewallGroupId).toBe(groupId);
  expect(group).toMatchObject({
    description: "al/acme/web-1",
    rules: [{ subnet: "203.0.113.0", subnet_size: 24, port: "22" }],
  });
  expect(booted).toEqual([{ os: "debian-13", memoryMb: 1024, user: "deploy" }]);
  expect(machines.at("192.0.2.1").current).toBe("ssh-ed25519 OWN1");
  expect([...approvals]).toEqual([["web-1", "ssh-ed25519 OWN1"]]);
  expect(records.rows.get("web-1")?.machine?.ownKey).toBe("ssh-ed25519 OWN1");
  expect([...new Set(steps)]).toEqual([
    ...["firewall ", "machine ", "boot ", "boot its address"],
    "boot the provider to say that it is up",
    ...["first-boot ", "first-boot sshd", "first-boot cloud-init", "done "],
  ]);
});

test("on a host that is ready only the firewall is brought up to date", async () => {
  const { run, standIn, ids } = rig();
  const first = await run();
  const [group] = [...standIn.account.groups.values()];
  group?.rules.splice(0);
  expect(await run({ calls: 1 })).toEqual({ ...first, isNew: false });
  expect(group?.rules).toHaveLength(1);
  expect(ids()).toHaveLength(1);
});

const CUTS = [1, 2, 3, 4, 5, 6].flatMap((calls) =>
  (["before", "after"] as const).map((when) => ({ calls, when })),
);

test.each(CUTS)("cut off $when call $calls to the machine, the next run finishes", async (cut) => {
  const { run, ids, machines, approvals } = rig();
  await expect(run(cut)).rejects.toMatchObject({ code: "killed" });
  const made = await run();
  expect(ids()).toEqual([made.instanceId]);
  expect(machines.at(made.address)).toMatchObject({ current: made.hostKey, next: undefined });
  expect(made.hostKey).toMatch(/^ssh-ed25519 OWN/);
  expect(approvals.get("web-1")).toBe(made.hostKey);
  expect(await run()).toEqual({ ...made, isNew: false });
});

test("who does not have the machine's key is told nothing, and nothing is approved", async () => {
  const { run, machines, approvals, ids } = rig();
  machines.faults.impostor = true;
  await expect(run()).rejects.toMatchObject({
    code: "wrong-machine",
    message: expect.stringContaining("host web-1: what answers at 192.0.2.1:22 does not have"),
    hint: expect.stringContaining("al deprovision web-1"),
  });
  expect(approvals.size).toBe(0);
  machines.faults.impostor = false;
  expect((await run()).instanceId).toBe(ids()[0]);
});

test("a machine that was made with another login key says so, and goes on with that one", async () => {
  const { run, machines, ids } = rig();
  machines.faults.locked = true;
  await expect(run()).rejects.toMatchObject({
    ...{ code: "auth-failed", blame: "user" },
    message: "host web-1: its machine does not let deploy@192.0.2.1 in with vps_ssh",
    hint: expect.stringMatching(
      /made with another vps_ssh: put that one back.*al deprovision web-1$/,
    ),
  });
  machines.faults.locked = false;
  expect((await run()).instanceId).toBe(ids()[0]);
});

test("a machine whose sshd starts with other settings than ours is not approved", async () => {
  const { run, machines, approvals, ids } = rig();
  machines.faults.sshd = ["passwordauthentication yes"];
  await expect(run()).rejects.toMatchObject({
    ...{ code: "sshd-not-hardened", blame: "user" },
    message:
      "host web-1: sshd is not as its machine was made: passwordauthentication yes, not passwordauthentication no",
    hint: expect.stringMatching(/sshd_config\.d.*al deprovision web-1, then al provision web-1/),
  });
  expect(approvals.size).toBe(0);
  machines.faults.sshd = [];
  await run();
  expect([...approvals.keys()]).toEqual(["web-1"]);
  expect(ids()).toHaveLength(1);
});

test.each([
  ["sshd never answers", { silent: 1e9 }, "unreachable"],
  ["its first boot never ends", { lacking: 1e9 }, "it lacks cloud-init"],
  ["it goes on with its first key", { stale: 1e9 }, "it does not take its new host key"],
])("a machine is waited for, but not for ever: %s", async (_name, faults, why) => {
  const { run, machines, approvals, ids } = rig();
  Object.assign(machines.faults, faults);
  await expect(run()).rejects.toMatchObject({
    code: "machine-not-up",
    blame: "transient",
    message: `host web-1: the machine at 192.0.2.1:22 is not up: ${why}`,
  });
  expect(approvals.size).toBe(0);
  Object.assign(machines.faults, { silent: 0, lacking: 0, stale: 0 });
  await run();
  expect(ids()).toHaveLength(1);
});

test("a machine whose first boot failed is not waited for, and is kept", async () => {
  const { run, machines, clock, ids } = rig();
  machines.faults.broken = true;
  const start = clock.now();
  await expect(run()).rejects.toMatchObject({ code: "first-boot-failed" });
  expect(clock.now() - start).toBeLessThan(5 * 60_000);
  machines.faults.broken = false;
  expect((await run()).instanceId).toBe(ids()[0]);
});

test("what cannot be had leaves nothing behind", async () => {
  const { run, standIn, ids } = rig();
  standIn.account.switches.soldOut.add("ams vc2-1c-1gb");
  await expect(run()).rejects.toMatchObject({ code: "plan-sold-out" });
  standIn.account.switches.soldOut.clear();
  standIn.account.switches.maxInstances = 0;
  await expect(run()).rejects.toMatchObject({ code: "provider-quota" });
  expect(standIn.account.groups.size).toBe(0);
  standIn.account.switches.maxInstances = 10;
  await run();
  expect(ids()).toHaveLength(1);
});

test("an order that is refused leaves the firewall of another operator's new machine", async () => {
  const { run, standIn, provider, deps } = rig({ visibleAfterMs: 1_500 });
  const firewallId = await provider().ensureFirewall({ name: "al/acme/web-1", rules: [] });
  const { userData } = await deps().firstBoot();
  const { tags: _tags, sshFrom: _sshFrom, ...choice } = ORDER.machine;
  const tags = ["al-project-acme", "al-host-web-1", "al-nonce-theirs"];
  await provider().createMachine({ ...choice, name: "web-1", firewallId, userData, tags });
  standIn.account.switches.maxInstances = 1;
  await expect(run()).rejects.toMatchObject({ code: "provider-quota" });
  expect([...standIn.account.groups.keys()]).toEqual([firewallId]);
});
