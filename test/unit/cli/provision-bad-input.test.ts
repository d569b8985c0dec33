import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import { storeDirectory } from "../../../src/cli/wake.ts";
import { readControllerStore } from "../../../src/state/controller-store.ts";
import { FLEET, provisionWorld } from "./provision-world.ts";

const NOTHING = { machines: 0, firewalls: 0, keys: 0 };
const ONE = { machines: 1, firewalls: 1, keys: 0 };
const BOTH = { machines: 2, firewalls: 2, keys: 0 };
const KEY = "VERY-SECRET-KEY-0123456789";

/** The world, one operator, and the same command again and again; nothing it says holds a secret. */
function world(fleet = FLEET) {
  const all = provisionWorld(fleet, { key: KEY });
  const { home } = all.operator();
  const run = async (host?: string, key = KEY) => {
    const operator = all.operator({}, home, { key: new Secret(key) });
    const { code, said } = await operator.provision(host, true);
    for (const { password, body } of all.standIn.account.instances.values()) {
      expect(said).not.toContain(password);
      expect(said).not.toContain(body.user_data);
    }
    expect(said).not.toMatch(/VERY-SECRET|PRIVATE KEY|cloud-config|\bundefined\b/);
    return { code, said };
  };
  const deprovision = (host: string) =>
    all.operator({}, home, { key: new Secret(KEY) }).deprovision(host, { yes: true });
  const approved = () => {
    const store = readControllerStore(storeDirectory(home, "acme"));
    const keys = ["web-1", "web-2"].map((host) => store.hostKey(host));
    store.close();
    return keys;
  };
  return { ...all, run, deprovision, approved };
}

/** An error, and on the next line what to do about it. */
function expectFailure(
  { code, said }: { code: number; said: string },
  error: string,
  hint: string,
) {
  expect(code).toBe(1);
  expect(said).toContain(`error: ${error}\n`);
  expect(said).toContain(`  ${hint}\n`);
}

test("a wrong key is told from everything else, and nothing is made with it", async () => {
  const { run, left } = world();
  expectFailure(
    await run("web-1", "wrong"),
    "host web-1: Vultr refused GET /firewalls with 401: Invalid API token.",
    "Look in Vultr's console, under Account, API: is the key valid, may it do this, and may this machine's address use it? Store another with: al creds add vultr_api_key",
  );
  expect(left()).toEqual(NOTHING);
  expect(await run("web-1")).toMatchObject({ code: 0 });
  expect(left()).toEqual(ONE);
});

test("a plan that its region has not is refused before anything is made, with regions that have it", async () => {
  const { run, left, project } = world(FLEET.replace("vc2-1c-1gb", "vhf-8c-32gb"));
  const { code, said } = await run();
  expect(code).toBe(1);
  expect(said).toContain("web-1: error: Vultr has no plan `vhf-8c-32gb` in region `ams`");
  expect(said).toContain("Choose among these regions with vhf-8c-32gb: ewr");
  expect(left()).toEqual(NOTHING);
  writeFileSync(join(project, "fleet.toml"), FLEET);
  expect(await run()).toMatchObject({ code: 0 });
  expect(left()).toEqual(BOTH);
});

test("a quota ends what it is too small for, and nothing else", async () => {
  const { run, left, standIn } = world();
  standIn.account.switches.maxInstances = 1;
  const { code, said } = await run();
  expect(code).toBe(1);
  expect(said).toMatch(
    /^error: host web-[12]: Vultr refused POST \/instances with 400: You have reached the maximum number of active instances\.\n {2}Remove machines that are not needed, or ask Vultr for a higher limit/m,
  );
  expect(left()).toEqual(ONE);
  standIn.account.switches.maxInstances = 10;
  expect(await run()).toMatchObject({ code: 0 });
  expect(left()).toEqual(BOTH);
});

test("a machine that never boots is waited for, named, kept, and gone on with", async () => {
  const { run, left, ids, standIn } = world();
  standIn.account.switches.neverBoots = true;
  const ended = await run("web-1");
  expectFailure(
    ended,
    `host web-1: machine ${ids()[0]} has not booted within 15 min`,
    "Run the same command again to go on waiting; the provider's console shows what it is doing. To give it back: al deprovision web-1",
  );
  const made = ids();
  standIn.account.switches.neverBoots = false;
  expect(await run()).toMatchObject({ code: 0 });
  expect(ids()).toEqual(expect.arrayContaining(made));
  expect(left()).toEqual(BOTH);
});

test("what has the address and not the key gets nothing, and is told of", async () => {
  const { run, left, ids, machines, project } = world();
  machines.faults.impostor = true;
  expectFailure(
    await run("web-1"),
    "host web-1: what answers at 192.0.2.1:22 does not have the key that its machine was made with; nothing was sent to it",
    "Another machine may have the address now: compare it in the provider's console. To give the host's machine back: al deprovision web-1",
  );
  expect(() => readFileSync(join(project, "fleet.lock.toml"))).toThrow("ENOENT");
  const made = ids();
  machines.faults.impostor = false;
  expect(await run("web-1")).toMatchObject({ code: 0 });
  expect(ids()).toEqual(made);
  expect(left()).toEqual(ONE);
});

test("an address that another machine has now is that machine's alone", async () => {
  const { run, deprovision, left, ids, lock, standIn } = world();
  await run("web-1");
  const [gone = ""] = ids();
  const address = (lock().hosts as Record<string, { address: string }>)["web-1"]?.address;
  await standIn.account.delete(gone);
  standIn.account.nextAddresses.push(address ?? "");
  const { code, said } = await run("web-2");
  expect(code).toBe(0);
  expect(said).toContain(
    "  fleet.lock.toml had this address for web-1, which it no longer names: al provision web-1\n",
  );
  expect(lock().hosts).toEqual({ "web-2": expect.objectContaining({ address }) });
  expectFailure(
    await run(),
    `the machine of host web-1, ${gone}, is gone from its provider`,
    "If it was removed on purpose, run: al deprovision web-1",
  );
  expect(await deprovision("web-1")).toMatchObject({ code: 0 });
  expect(left()).toEqual(ONE);
  expect(await run()).toMatchObject({ code: 0 });
  expect(left()).toEqual(BOTH);
});

test.each([
  [
    "no TOML",
    (text: string) => text.replace("[hosts.web-1]", "[hosts.web-1"),
    "fleet.lock.toml:4: ",
  ],
  ["a bad merge", (text: string) => `<<<<<<< HEAD\n${text}`, "fleet.lock.toml:1: "],
  [
    "a field that it has not",
    (text: string) => text.replace("port = 22", "prot = 22"),
    "fleet.lock.toml:7: hosts.web-1.prot: unknown field `prot`; did you mean `port`?",
  ],
  [
    "one address twice",
    (text: string) => text.replaceAll(/192\.0\.2\.\d/g, "192.0.2.1"),
    "fleet.lock.toml:13: hosts.web-2.address: is the same machine as host `web-1`",
  ],
])("a fleet.lock.toml with %s is refused where it is wrong", async (_name, edit, problem) => {
  const { run, left, project } = world();
  await run();
  const path = join(project, "fleet.lock.toml");
  const good = readFileSync(path, "utf8");
  writeFileSync(path, edit(good));
  const { code, said } = await run("web-1");
  expect(code).toBe(1);
  expect(said).toContain(`${project} is not a valid project:\n${problem}`);
  expect(said).toContain("To take fleet.lock.toml back: git checkout fleet.lock.toml");
  expect(readFileSync(path, "utf8")).toBe(edit(good));
  writeFileSync(path, good);
  expect(await run("web-1")).toMatchObject({ code: 0 });
  expect(left()).toEqual(BOTH);
});

test.each([
  [
    "id",
    (text: string, [id = ""]: string[]) => text.replace(id, "0b7a3c8e-0000-4000-8000-000000000000"),
  ],
  ["id of another host", (text: string, [one = "", two = ""]: string[]) => text.replace(one, two)],
  ["host key", (text: string) => text.replace(/OWN1/, "AAAA")],
  ["address", (text: string) => text.replace("192.0.2.1", "192.0.2.77")],
])("another %s in fleet.lock.toml changes no machine, and is put right", async (_name, edit) => {
  const { run, left, ids, project, approved } = world();
  await run();
  const [path, made, keys] = [join(project, "fleet.lock.toml"), ids(), approved()];
  const good = readFileSync(path, "utf8");
  writeFileSync(path, edit(good, made));
  expect(readFileSync(path, "utf8")).not.toBe(good);
  for (const host of ["web-1", "web-2"]) expect(await run(host)).toMatchObject({ code: 0 });
  expect(readFileSync(path, "utf8")).toBe(good);
  expect(ids()).toEqual(made);
  expect(approved()).toEqual(keys);
  expect(left()).toEqual(BOTH);
});

test("of two operators at once one makes the machine, and the other is told and can go on", async () => {
  const { operator, left, ids } = world();
  const way = { key: new Secret(KEY) };
  const both = [operator({}, undefined, way), operator({}, undefined, way)] as const;
  const ends = await Promise.all(both.map((one) => one.provision("web-1", true)));
  expect(ends.map(({ code }) => code).sort()).toEqual([0, 1]);
  const late = ends.findIndex(({ code }) => code === 1);
  expect(ends[late]?.said).toContain(`error: host web-1 already has machine ${ids()[0]}, made `);
  expect(ends[late]?.said).toContain("Then take over fleet.lock.toml from there.");
  expect(left()).toEqual(ONE);
  // The checkout is shared here: fleet.lock.toml has come over.
  const again = await both[late]?.provision("web-1", true);
  expect(again?.code).toBe(0);
  expect(again?.said).toContain("which was not made from here: left alone");
  const given = await both[1 - late]?.deprovision("web-1", { yes: true });
  expect(given).toMatchObject({ code: 0 });
  expect(left()).toEqual(NOTHING);
});
