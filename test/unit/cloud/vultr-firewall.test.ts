import fc from "fast-check";
import { expect, test } from "vitest";
import type { FirewallRule } from "../../../src/core/machine.ts";
import { firewallRules } from "../../../src/provisioning/firewall-rules.ts";
import { vultrRig } from "../../vultr/rig.ts";

const name = "al/acme/web-1";
const anyRules = fc.uniqueArray(
  fc.record({
    protocol: fc.constantFrom("tcp", "udp"),
    port: fc.constantFrom(22, 80, 443),
    from: fc.constantFrom("0.0.0.0/0", "::/0", "203.0.113.7/32", "2001:db8::/48"),
  }),
  { selector: (rule) => JSON.stringify(rule) },
) as fc.Arbitrary<FirewallRule[]>;
const fault = fc.record({
  method: fc.constantFrom("GET", "POST", "DELETE"),
  does: fc.constantFrom(
    { kind: "lose-answer" as const },
    { kind: "fail-after" as const },
    { kind: "answer" as const, status: 500 },
  ),
});

function rulesAt(standIn: ReturnType<typeof vultrRig>["standIn"]): string[] {
  return [...standIn.account.groups.values()].flatMap(({ rules }) =>
    rules.map((rule) => `${rule.protocol} ${rule.port} ${rule.subnet}/${rule.subnet_size}`).sort(),
  );
}

test("a firewall becomes what is wanted from whatever it was, with lost answers on the way", async () => {
  const property = fc.asyncProperty(
    anyRules,
    anyRules,
    fc.array(fault, { maxLength: 3 }),
    async (before, after, faults) => {
      const { standIn, provider } = vultrRig();
      await provider().ensureFirewall({ name, rules: before });
      for (const one of faults) standIn.inject(one);
      await provider().ensureFirewall({ name, rules: after });
      const wanted = after.map(({ protocol, port, from }) => `${protocol} ${port} ${from}`);
      expect(rulesAt(standIn)).toEqual(wanted.sort());
      expect(standIn.account.groups.size).toBe(1);
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

test("two operators at once use one group, and whatever else came of it goes with it", async () => {
  const { standIn, provider } = vultrRig();
  const rules = [{ protocol: "tcp", port: 22, from: "0.0.0.0/0" }] as const;
  const ensure = () => provider().ensureFirewall({ name, rules });
  const [one, other] = await Promise.all([ensure(), ensure()]);
  expect(one).toBe(other);
  expect(await ensure()).toBe(one);
  expect(rulesAt(standIn)).toEqual(["tcp 22 0.0.0.0/0"]);
  await provider().removeFirewall(name);
  expect(standIn.account.groups.size).toBe(0);
});

test("a lost answer makes no second group", async () => {
  const { standIn, provider } = vultrRig();
  standIn.inject({ method: "POST", path: "/firewalls", does: { kind: "lose-answer" } });
  const id = await provider().ensureFirewall({ name, rules: [] });
  expect([...standIn.account.groups.keys()]).toEqual([id]);
});

test("what is missing comes before what is too much goes", async () => {
  const { standIn, provider } = vultrRig();
  const ssh = (sshFrom: string[]) => firewallRules({ sshFrom, sshPort: 22, isPublic: false });
  await provider().ensureFirewall({ name, rules: ssh(["203.0.113.7"]) });
  const before = standIn.requests.length;
  await provider().ensureFirewall({ name, rules: ssh(["203.0.113.8"]) });
  const writes = standIn.requests.slice(before).filter(({ method }) => method !== "GET");
  expect(writes.map(({ method }) => method)).toEqual(["POST", "DELETE"]);
  expect(rulesAt(standIn)).toEqual(["tcp 22 203.0.113.8/32"]);
});

test("somebody's rule from another source is removed, not taken for ours", async () => {
  const { standIn, send, provider } = vultrRig();
  const rules = [{ protocol: "tcp", port: 443, from: "0.0.0.0/0" }] as const;
  const id = await provider().ensureFirewall({ name, rules: [] });
  const body = { ip_type: "v4", protocol: "tcp", subnet: "0.0.0.0", subnet_size: 0, port: "80" };
  await send()({ method: "POST", path: `/firewalls/${id}/rules`, body });
  await send()({
    method: "POST",
    path: `/firewalls/${id}/rules`,
    body: { ...body, port: "8000:8999", source: "cloudflare" },
  });
  await provider().ensureFirewall({ name, rules });
  expect(rulesAt(standIn)).toEqual(["tcp 443 0.0.0.0/0"]);
});

test("SSH from given addresses only, HTTP and HTTPS for all where it is public", () => {
  const texts = (rules: readonly FirewallRule[]) =>
    rules.map(({ port, from }) => `${port} ${from}`);
  expect(texts(firewallRules({ sshPort: 22, isPublic: false }))).toEqual([
    "22 0.0.0.0/0",
    "22 ::/0",
  ]);
  const sshFrom = ["203.0.113.9/24", "203.0.113.0/24"];
  expect(texts(firewallRules({ sshFrom, sshPort: 2222, isPublic: true }))).toEqual([
    "2222 203.0.113.0/24",
    ...["80 0.0.0.0/0", "80 ::/0", "443 0.0.0.0/0", "443 ::/0"],
  ]);
});
