import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FLEET, provisionWorld } from "./provision-world.ts";

const PUBLIC = '[gateway]\npublic = "agents.example.com"\ningress = "web-1"\n';

/** A world whose hosts have their machines. */
async function provisioned() {
  const world = provisionWorld();
  const ann = world.operator();
  expect(await ann.provision(undefined, true)).toMatchObject({ code: 0 });
  const write = (file: string, text: string) => writeFileSync(join(world.project, file), text);
  /** What the firewall of a host lets in. */
  const open = (host: string) => {
    const groups = [...world.standIn.account.groups.values()];
    const group = groups.find(({ description }) => description === `al/acme/${host}`);
    return group?.rules.map(({ port, subnet }) => `${port} ${subnet}`).sort();
  };
  return { ...world, ann, write, open };
}

test("a public name opens 80 and 443 on the host that has it, and closes them when it goes", async () => {
  const { ann, write, open } = await provisioned();
  const [closed, others] = [open("web-1"), open("web-2")];
  write("config.toml", PUBLIC);
  const planned = await ann.provision(undefined, false);
  expect(planned.code).toBe(2);
  expect(planned.said).toBe(`web-1: is brought up to date
  its firewall lets in tcp 80 from 0.0.0.0/0, tcp 80 from ::/0, tcp 443 from 0.0.0.0/0, tcp 443 from ::/0, too
to do this: al provision --yes
`);
  expect(open("web-1")).toEqual(closed);
  expect(await ann.provision(undefined, true)).toMatchObject({ code: 0 });
  expect(open("web-1")).toEqual(
    [...(closed ?? []), "443 0.0.0.0", "443 ::", "80 0.0.0.0", "80 ::"].sort(),
  );
  expect(open("web-2")).toEqual(others);
  expect((await ann.provision("web-1", true)).said).toBe(
    "web-1: is ready; its firewall lets in SSH from everywhere; HTTP and HTTPS from everywhere\n",
  );
  write("config.toml", "");
  const { code, said } = await ann.provision(undefined, true);
  expect(code).toBe(0);
  expect(said).toContain("  its firewall no longer lets in tcp 443 from 0.0.0.0/0, tcp 443 from");
  expect(open("web-1")).toEqual(closed);
});

test("a new host that is to be public is made with a firewall that lets in HTTP and HTTPS", async () => {
  const { operator, project, standIn } = provisionWorld();
  writeFileSync(join(project, "config.toml"), PUBLIC);
  const { said } = await operator().provision("web-1", true);
  expect(said).toContain("lets in SSH from everywhere; HTTP and HTTPS from everywhere\n");
  expect([...standIn.account.groups.values()][0]?.rules).toHaveLength(6);
});

test("rules that somebody changed at the provider are shown, and mended", async () => {
  const { ann, standIn, open } = await provisioned();
  const wanted = open("web-2");
  const group = [...standIn.account.groups.values()].find(({ description }) =>
    description.endsWith("web-2"),
  );
  const [rule] = group?.rules.splice(0) ?? [];
  if (!rule) throw new Error("no rule");
  group?.rules.push({ ...rule, id: 99, port: "3306", subnet: "0.0.0.0", subnet_size: 0 });
  const { code, said } = await ann.provision(undefined, true);
  expect(code).toBe(0);
  expect(said).toContain("lets in tcp 22 from 203.0.113.7/32, too\n");
  expect(said).toContain("no longer lets in tcp 3306 from 0.0.0.0/0");
  expect(open("web-2")).toEqual(wanted);
});

test("another plan, region or distribution is told, and changes no machine", async () => {
  const { ann, write, ids } = await provisioned();
  const before = ids();
  write(
    "fleet.toml",
    FLEET.replace('"vc2-1c-1gb"', '"vc2-2c-4gb"')
      .replace('"fra"', '"ams"')
      .replace('"debian-12"', '"debian-13"'),
  );
  const { code, said } = await ann.provision(undefined, true);
  expect(code).toBe(1);
  expect(said).toContain("  its plan is vc2-1c-1gb; fleet.toml asks for vc2-2c-4gb\n");
  expect(said).toContain("  its region is fra; fleet.toml asks for ams\n");
  expect(said).toContain("  its os is debian-12; fleet.toml asks for debian-13\n");
  expect(said).toContain("or make another one: al deprovision web-1, then al provision web-1\n");
  expect(ids()).toEqual(before);
});

test("a machine that was taken out of its firewall is put behind it again", async () => {
  const { ann, standIn, ids } = await provisioned();
  const instance = standIn.account.instances.get(ids()[0] ?? "");
  if (!instance) throw new Error("no instance");
  const { firewallGroupId } = instance;
  instance.firewallGroupId = "";
  const planned = await ann.provision(undefined, false);
  expect(planned.code).toBe(2);
  expect(planned.said).toMatch(
    /^web-\d: is brought up to date\n {2}it is put behind its firewall, which it is not\nto do this/,
  );
  expect(instance.firewallGroupId).toBe("");
  expect(await ann.provision(undefined, true)).toMatchObject({ code: 0 });
  expect(instance.firewallGroupId).toBe(firewallGroupId);
  // As Vultr does to the instances of a group that somebody removes.
  standIn.account.groups.delete(firewallGroupId);
  instance.firewallGroupId = "";
  expect(await ann.provision(undefined, true)).toMatchObject({ code: 0 });
  expect([...standIn.account.groups.keys()]).toContain(instance.firewallGroupId);
});

test("the user that a machine was ordered with is kept, whatever fleet.toml says since", async () => {
  const { operator, project, lock } = provisionWorld();
  const ann = operator({ calls: 1 });
  expect(await ann.provision("web-1", true)).toMatchObject({ code: 1 });
  const other = FLEET.replace("[hosts.web-1]", '[hosts.web-1]\nuser = "ops"');
  writeFileSync(join(project, "fleet.toml"), other);
  expect(await operator({}, ann.home).provision("web-1", true)).toMatchObject({ code: 0 });
  expect(lock().hosts).toMatchObject({ "web-1": { user: "deploy" } });
});

test.each([
  ["its own", "[hosts.web-1]", '[hosts.web-1]\nuser = "ops"'],
  ["that of all", "[hosts.mine]", '[defaults]\nuser = "ops"\n[hosts.mine]'],
])(
  "another user that fleet.toml asks for is told, and fleet.lock.toml keeps the one that is there: %s",
  async (_name, at, written) => {
    const { ann, write, lock } = await provisioned();
    write("fleet.toml", FLEET.replace("os =", 'user = "deploy"\nos =').replace(at, written));
    for (const yes of [false, true]) {
      const { code, said } = await ann.provision(undefined, yes);
      expect({ code, said }).toEqual({
        code: 1,
        said: expect.stringContaining("  its user is deploy; fleet.toml asks for ops\n"),
      });
      expect(said).not.toContain("web-2");
    }
    expect(lock().hosts).toMatchObject({ "web-1": { user: "deploy" } });
  },
);

test.each([
  ["another address", /192\.0\.2\.\d+/, "203.0.113.99"],
  ["another key", /OWN\d/, "OTHER"],
  ["another user", /"deploy"/, '"ops"'],
  ["another machine", /instanceId = "[^"]+"/, 'instanceId = "another"'],
])("fleet.lock.toml that says %s is put right", async (_name, what, other) => {
  const { ann, write, project, ids } = await provisioned();
  const right = readFileSync(join(project, "fleet.lock.toml"), "utf8");
  write("fleet.lock.toml", right.replace(what, other));
  const { code, said } = await ann.provision(undefined, true);
  expect({ code, said }).toMatchObject({ code: 0 });
  expect(said).toContain(": is brought up to date\n  fleet.lock.toml gets what is known of it\n");
  expect(readFileSync(join(project, "fleet.lock.toml"), "utf8")).toBe(right);
  expect(ids()).toHaveLength(2);
});

test("a machine that is gone is told of before anything is made", async () => {
  const { ann, standIn, ids, write } = await provisioned();
  await standIn.account.delete(ids()[0] ?? "");
  write(
    "fleet.toml",
    `${FLEET}[hosts.web-3]\nprovider = "vultr"\nregion = "ams"\nplan = "vc2-1c-1gb"\n`,
  );
  const { code, said } = await ann.provision(undefined, true);
  expect(code).toBe(1);
  expect(said).toMatch(
    /the machine of host web-\d, \S+, is gone from its provider\n.*al deprovision/,
  );
  expect(ids()).toHaveLength(1);
});
