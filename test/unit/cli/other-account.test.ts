import { expect, test } from "vitest";
import { fetchFrom } from "../../vultr/in-process.ts";
import { VultrStandIn } from "../../vultr/stand-in.ts";
import { provisionWorld } from "./provision-world.ts";

/** Ann's machine web-1, and her store with the key of another account. */
async function twoAccounts() {
  const world = provisionWorld();
  const ann = world.operator();
  await ann.provision("web-1", true);
  const other = new VultrStandIn({ clock: world.clock });
  other.account.switches.email = "private@example.com";
  const wrong = world.operator({}, ann.home, { fetch: fetchFrom(other) });
  return { ...world, ann, other, wrong };
}

test("a key of another account changes nothing, and no machine is forgotten", async () => {
  const { ann, wrong, other, ids, lock } = await twoAccounts();
  const before = { ids: ids(), lock: lock() };
  const tries = [
    () => wrong.deprovision("web-1", { yes: true, force: true }),
    () => wrong.provision("web-2", true),
    () => wrong.provision(undefined, false),
    () => wrong.gc(undefined, true),
  ];
  for (const attempt of tries) {
    const { code, said } = await attempt();
    expect(code).toBe(1);
    expect(said).toContain(
      "error: this key is of account Example Ltd <private@example.com>; machines of this project were ordered in Example Ltd <ops@example.com>; nothing was changed\n",
    );
    expect(said).toContain("al creds add vultr_api_key");
  }
  expect({ ids: ids(), lock: lock() }).toEqual(before);
  expect(other.requests.filter(({ method }) => method !== "GET")).toEqual([]);
  expect(await ann.deprovision("web-1", { yes: true })).toMatchObject({ code: 0 });
  expect(ids()).toEqual([]);
  // Nothing is left in the first account: the next machines may be in another one.
  await wrong.provision("web-1", true);
  expect(other.account.instances.size).toBe(1);
  expect((await ann.deprovision("web-1", { yes: true })).said).toContain("this key is of account");
});

test("an account that is called otherwise now is known by its machines", async () => {
  const { operator, standIn, ids } = provisionWorld();
  const ann = operator();
  await ann.provision("web-1", true);
  standIn.account.switches.email = "new@example.com";
  expect(await ann.provision("web-2", true)).toMatchObject({ code: 0 });
  for (const id of ids()) await standIn.account.delete(id);
  // Its new name is remembered: machines that are gone are not another account's.
  expect((await ann.provision("web-1", true)).said).toContain("is gone from its provider");
});

test("a key that may not say whose it is does what it may", async () => {
  const { operator, standIn, ids } = provisionWorld();
  const ann = operator();
  const does = { kind: "answer", status: 403, error: "not for this key" } as const;
  standIn.inject({ path: "/account", times: 9, does });
  expect(await ann.provision("web-1", true)).toMatchObject({ code: 0 });
  expect(await ann.deprovision("web-1", { yes: true })).toMatchObject({ code: 0 });
  expect(ids()).toEqual([]);
});
