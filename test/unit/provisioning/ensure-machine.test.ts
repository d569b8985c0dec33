import fc from "fast-check";
import { expect, test } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import { awaitMachine } from "../../../src/provisioning/await-machine.ts";
import { ensureMachine } from "../../../src/provisioning/ensure-machine.ts";
import { findOrphans } from "../../../src/provisioning/orphans.ts";
import type { VultrFault } from "../../vultr/faults.ts";
import { ORDER } from "./order.ts";
import { memoryRecords, provisioningRig } from "./rig.ts";

const create = (does: VultrFault["does"], times = 1): VultrFault => ({
  method: "POST",
  path: "/instances",
  times,
  does,
});
const kept = { project: "acme", hosts: ["web-1"], machineHosts: ["web-1"], machineIds: [] };

test("a machine is ordered once, with our tags and the operator's, and found again", async () => {
  const { ensure, ids, standIn, records } = provisioningRig();
  const first = await ensure();
  expect(first).toMatchObject({ isNew: true, hostKey: "ssh-ed25519 KEY1" });
  expect(await ensure()).toMatchObject({ isNew: false, hostKey: first.hostKey });
  expect(ids()).toEqual([first.machine.id]);
  const [instance] = standIn.account.instances.values();
  expect(instance?.body).toMatchObject({
    tags: ["al-project-acme", "al-host-web-1", "al-nonce-n1", "team-a"],
    user_data: btoa('#cloud-config\n{"key":1}\n'),
    hostname: "web-1",
  });
  expect(records.rows.get("web-1")?.machine).toEqual({ id: first.machine.id, nonce: "n1" });
});

test("killed at any request, then run again: one machine, whose key is known", async () => {
  for (const when of ["before", "after"] as const) {
    for (let requests = 1; ; requests += 1) {
      const { ensureKilled, ensure, ids, standIn } = provisioningRig({ visibleAfterMs: 900 });
      const cut = await ensureKilled(requests, when);
      const { machine, hostKey } = await ensure();
      expect(ids()).toEqual([machine.id]);
      expect(standIn.account.everMade).toHaveLength(1);
      const body = standIn.account.instances.get(machine.id)?.body;
      expect(atob(body?.user_data ?? "")).toContain(`"key":${hostKey.slice(-1)}`);
      if (cut instanceof Error) continue;
      // Look, four checks, the order, look again: a kill at each of them, then a process that lived.
      expect(requests).toBe(8);
      break;
    }
  }
});

const anyFault = fc.constantFrom<VultrFault["does"]>(
  { kind: "lose-answer" },
  { kind: "fail-after" },
  { kind: "late", afterMs: 3_000 },
  { kind: "answer", status: 500 },
  { kind: "answer", status: 429, retryAfter: 2 },
);

test("killed again and again, with lost and late answers: at most one machine is not known as surplus", async () => {
  const kills = fc.array(fc.tuple(fc.nat(14), fc.constantFrom("before", "after")), {
    maxLength: 4,
  });
  const property = fc.asyncProperty(
    fc.array(anyFault, { maxLength: 4 }),
    kills,
    fc.constantFrom(0, 900),
    async (faults, cuts, visibleAfterMs) => {
      const { ensureKilled, ensure, ids, standIn, deps, clock } = provisioningRig({
        visibleAfterMs,
      });
      for (const does of faults) standIn.inject(create(does));
      for (const [requests, when] of cuts) {
        await ensureKilled(requests + 1, when as "before" | "after");
      }
      let done = await ensure().catch((thrown: unknown) => thrown);
      for (let again = 0; done instanceof Error && again < 6; again += 1) {
        done = await ensure().catch((thrown: unknown) => thrown);
      }
      const { machine } = done as Awaited<ReturnType<typeof ensure>>;
      await clock.sleep(60_000);
      await standIn.settleLate();
      await clock.sleep(2_000);
      expect(ids()).toContain(machine.id);
      const orphans = await findOrphans(kept, deps());
      const surplus = orphans.map((one) => one.kind === "machine" && [one.machine.id, one.why]);
      const others = ids().filter((id) => id !== machine.id);
      expect(surplus.sort()).toEqual(others.map((id) => [id, "surplus"]).sort());
      // Only what arrived after everybody had looked may be left.
      const late = faults.filter(({ kind }) => kind === "late").length;
      expect(others.length).toBeLessThanOrEqual(late);
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

test("a lost answer is settled by looking, without a second order", async () => {
  const { ensure, standIn } = provisioningRig({ visibleAfterMs: 1_500 });
  standIn.inject(create({ kind: "lose-answer" }));
  await ensure();
  expect(standIn.account.everMade).toHaveLength(1);
});

test("an order that never arrives is placed again, three times in all", async () => {
  const { ensure, standIn, records, ids } = provisioningRig();
  standIn.inject(create({ kind: "answer", status: 500 }, 3));
  await expect(ensure()).rejects.toMatchObject({ code: "provider-answer-lost" });
  expect(records.rows.get("web-1")?.attempts).toHaveLength(3);
  const { hostKey } = await ensure();
  expect(hostKey).toBe("ssh-ed25519 KEY4");
  expect(ids()).toHaveLength(1);
});

test("what the provider refuses leaves nothing to look for", async () => {
  const { ensure, standIn, records } = provisioningRig();
  standIn.account.switches.maxInstances = 0;
  await expect(ensure()).rejects.toMatchObject({ code: "provider-quota", blame: "user" });
  standIn.account.switches.soldOut.add("ams vc2-1c-1gb");
  await expect(ensure()).rejects.toMatchObject({ code: "plan-sold-out", blame: "user" });
  expect(records.rows.get("web-1")?.attempts).toEqual([]);
});

test("an order that is called off may have been carried out, and is looked for by the next", async () => {
  const { deps, ensure, standIn, records } = provisioningRig();
  standIn.inject(create({ kind: "hang" }));
  const calling = new AbortController();
  const cut = ensureMachine(ORDER, deps(), { signal: calling.signal });
  const reason = new AlError("cancelled", { code: "cancelled", blame: "user" });
  await expect.poll(() => standIn.account.everMade.length).toBe(1);
  calling.abort(reason);
  await expect(cut).rejects.toBe(reason);
  expect(records.rows.get("web-1")?.attempts).toHaveLength(1);
  const { machine } = await ensure();
  expect(standIn.account.everMade).toEqual([machine.id]);
});

test("tags of the operator's that look like ours are refused", async () => {
  const { deps, standIn } = provisioningRig();
  const order = { ...ORDER, tags: ["mine", "AL-host-web-2"] };
  await expect(ensureMachine(order, deps())).rejects.toMatchObject({
    code: "reserved-tag",
    message: "tags that begin with `al-` are ours: AL-host-web-2",
  });
  expect(standIn.requests).toEqual([]);
});

test("two operators at once end with one machine, and the later one is told", async () => {
  const { ensure, ids, deps } = provisioningRig();
  const other = memoryRecords();
  const settled = await Promise.allSettled([ensure(), ensure({ records: other.living() })]);
  const [refused, ...more] = settled.filter(({ status }) => status === "rejected");
  expect(more).toEqual([]);
  expect(refused).toMatchObject({ reason: { code: "machine-of-another", blame: "user" } });
  expect(ids()).toHaveLength(1);
  const third = memoryRecords();
  await expect(ensureMachine(ORDER, deps({ records: third.living() }))).rejects.toMatchObject({
    code: "machine-of-another",
    message: expect.stringContaining(`host web-1 already has machine ${ids()[0]}`),
  });
});

test("hosts and projects with names that begin alike do not get in each other's way", async () => {
  const { ensure, ids, deps } = provisioningRig();
  await ensure();
  await ensureMachine({ ...ORDER, host: "web" }, deps());
  const others = memoryRecords();
  await ensureMachine({ ...ORDER, project: "acme-2" }, deps({ records: others.living() }));
  expect(ids()).toHaveLength(3);
});

test("a machine that was removed elsewhere is reported, not replaced", async () => {
  const { ensure, standIn, ids } = provisioningRig();
  const { machine } = await ensure();
  await standIn.account.delete(machine.id);
  await expect(ensure()).rejects.toMatchObject({
    code: "machine-gone",
    blame: "user",
    hint: expect.stringContaining("al deprovision web-1"),
  });
  expect(ids()).toEqual([]);
});

test("a machine that never boots ends in an error that says how to go on", async () => {
  const { ensure, standIn, provider, clock } = provisioningRig();
  standIn.account.switches.neverBoots = true;
  const { machine } = await ensure();
  const waiting = { provider: provider(), clock, host: "web-1" };
  await expect(awaitMachine(machine.id, waiting)).rejects.toMatchObject({
    code: "machine-never-ready",
    message: `host web-1: machine ${machine.id} has not booted within 15 min`,
    hint: expect.stringContaining("al deprovision web-1"),
  });
  standIn.account.switches.neverBoots = false;
  const ready = await awaitMachine(machine.id, waiting);
  expect(ready.address).toBe("192.0.2.1");
});

test("a machine that stays unknown for a minute is gone", async () => {
  const { provider, clock } = provisioningRig();
  const start = clock.now();
  const waiting = awaitMachine("0b7a3c8e-0000-4000-8000-000000000000", {
    ...{ provider: provider(), clock, host: "web-1" },
  });
  await expect(waiting).rejects.toMatchObject({ code: "machine-gone" });
  expect(clock.now() - start).toBeGreaterThan(60_000);
});
