import { expect, test } from "vitest";
import { type HostOrder, provisionHost } from "../../../src/provisioning/provision-host.ts";
import { type RotateStep, rotateHostKey } from "../../../src/provisioning/rotate-key.ts";
import { killed } from "../../vultr/in-process.ts";
import { contactUntil, memoryApprovals, memoryMachines } from "./memory-machines.ts";
import { provisioningRig } from "./rig.ts";

const ORDER: HostOrder = {
  ...{ project: "acme", host: "web-1", user: "deploy", isPublic: false },
  machine: { region: "ams", plan: "vc2-1c-1gb", os: "debian-13", tags: [], ipv6: false },
};
const [OLD, NEW] = ["ssh-ed25519 OWN1", "ssh-ed25519 OWN2"];

/** A host that was provisioned here, and rotations of its key that may be cut off. */
async function rig() {
  const base = provisioningRig();
  const machines = memoryMachines(base.standIn);
  const approvals = memoryApprovals();
  const provision = () => {
    const { contact, isDead } = contactUntil(machines);
    const common = base.deps();
    const deps = { ...common, contact, approvals: approvals.seenBy(isDead) };
    return provisionHost(ORDER, { ...deps, firstBoot: () => common.firstBoot() });
  };
  const place = await provision();
  machines.at(place.address).before = undefined;
  const published: string[] = [];
  const faults = { unpublished: false };
  const rotate = (cut: Parameters<typeof contactUntil>[1] = {}, steps: RotateStep[] = []) => {
    const { rotation, isDead } = contactUntil(machines, cut);
    const deps = {
      ...{ contact: rotation(approvals.believed), pins: approvals.seenBy(isDead) },
      ...{ records: base.records.seenBy(isDead), clock: base.clock },
      async publish(hostKey: string) {
        if (isDead() || faults.unpublished) throw killed();
        published.push(hostKey);
      },
    };
    return rotateHostKey(place, deps, { onStep: (step) => steps.push(step) });
  };
  /** What every pass must find, whatever happened before. */
  const passGoesOn = () => approvals.believed("web-1").includes(machines.offered(place));
  const ownKey = () => base.records.rows.get("web-1")?.machine?.ownKey;
  return {
    ...base,
    faults,
    machines,
    approvals,
    place,
    published,
    provision,
    rotate,
    passGoesOn,
    ownKey,
  };
}

test("a host makes another key, proves it, and no other is believed then", async () => {
  const { rotate, machines, approvals, published, place, provision, ownKey } = await rig();
  machines.faults.stale = 2;
  const steps: RotateStep[] = [];
  expect(await rotate({}, steps)).toBe(NEW);
  expect(steps).toEqual(["make", "take", "prove", "approve"]);
  expect(machines.at(place.address)).toMatchObject({ current: NEW, next: undefined });
  expect(approvals.believed("web-1")).toEqual([NEW]);
  expect(published).toEqual([NEW]);
  expect(ownKey()).toBe(NEW);
  expect(await provision()).toMatchObject({ hostKey: NEW, isNew: false });
});

const CUTS = [1, 2, 3, 4, 5].flatMap((calls) =>
  (["before", "after"] as const).map((when) => ({ calls, when })),
);

test.each(CUTS)(
  "cut off $when call $calls, passes go on and the next run finishes",
  async (cut) => {
    const { rotate, machines, approvals, place, provision, passGoesOn, ownKey } = await rig();
    await expect(rotate(cut)).rejects.toMatchObject({ code: "killed" });
    expect(passGoesOn()).toBe(true);
    expect((await provision()).hostKey).toBe(OLD);
    expect(passGoesOn()).toBe(true);
    expect(await rotate()).toBe(NEW);
    expect(machines.at(place.address)).toMatchObject({ current: NEW, next: undefined });
    expect(approvals.believed("web-1")).toEqual([NEW]);
    expect(ownKey()).toBe(NEW);
  },
);

test("an sshd that still has its old key when the next run comes takes the same new one", async () => {
  const { rotate, machines, approvals } = await rig();
  await expect(rotate({ calls: 4, when: "after" })).rejects.toMatchObject({ code: "killed" });
  machines.faults.stale = 2;
  expect(await rotate()).toBe(NEW);
  expect(approvals.believed("web-1")).toEqual([NEW]);
});

test.each(["rotate", "provision"] as const)(
  "cut off between proof and approval, al %s finishes it",
  async (how) => {
    const { faults, approvals, passGoesOn, ...by } = await rig();
    faults.unpublished = true;
    await expect(by.rotate()).rejects.toMatchObject({ code: "killed" });
    expect(passGoesOn()).toBe(true);
    faults.unpublished = false;
    await by[how]();
    expect(approvals.believed("web-1")).toEqual([NEW]);
  },
);

test("a host that goes on with its old key keeps it, and both are believed", async () => {
  const { rotate, machines, approvals, passGoesOn } = await rig();
  machines.faults.stale = 1e9;
  await expect(rotate()).rejects.toMatchObject({
    code: "machine-not-up",
    message: expect.stringContaining("it does not take its new host key"),
  });
  expect(passGoesOn()).toBe(true);
  expect(approvals.believed("web-1")).toEqual([OLD, NEW]);
  machines.faults.stale = 0;
  expect(await rotate()).toBe(NEW);
});

test("who has none of the believed keys is told nothing", async () => {
  const { rotate, machines, approvals } = await rig();
  machines.faults.impostor = true;
  await expect(rotate()).rejects.toMatchObject({ code: "host-key-mismatch" });
  expect(approvals.believed("web-1")).toEqual([OLD]);
});
