import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generateSshKeyPair } from "../../../src/provisioning/ssh-key-pair.ts";
import { openControllerStore, readControllerStore } from "../../../src/state/controller-store.ts";
import { provisionWorld } from "./provision-world.ts";

test("a host's machine and firewall are given back after a yes, and forgotten", async () => {
  const { operator, ids, standIn, lock } = provisionWorld();
  const ann = operator();
  await ann.provision(undefined, true);
  const asked = await ann.deprovision("web-1");
  expect(asked.code).toBe(2);
  expect(asked.said).toContain("with its firewall; all data on it is lost\n");
  expect(asked.said).toContain("to do this: al deprovision web-1 --yes\n");
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
  expect(said).toContain(`fleet.lock.toml names machine ${ids()[0]}`);
  expect(ids()).toHaveLength(1);
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
  // Nothing listens there.
  const address = { address: "127.0.0.1", port: 1, user: "deploy", labels: {} };
  store.remember({
    address: { host: "web-1", provider: "vultr", ...address },
    inventory: { items: [] },
    agents: ["dev"],
  });
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
