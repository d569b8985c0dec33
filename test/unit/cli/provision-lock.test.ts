import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { takeProvisioningLock } from "../../../src/cli/provisioning-lock.ts";
import { readControllerStore } from "../../../src/state/controller-store.ts";
import { provisionWorld } from "./provision-world.ts";

const LOCK = join(import.meta.dirname, "../../../src/state/file-lock.ts");
const BUSY = "the machines of acme are being seen to by test\n  Try again when it is done.";

test("two provisionings from one store: one makes the machine, the other is told at once", async () => {
  const { operator, left, ids, standIn } = provisionWorld();
  const { home, storePath } = operator();
  const ends = await Promise.all(
    [operator({}, home), operator({}, home)].map((one) => one.provision("web-1", true)),
  );
  expect(ends.map(({ code }) => code).sort()).toEqual([0, 1]);
  expect(ends.find(({ code }) => code === 1)?.said).toContain(BUSY);
  expect(left()).toEqual({ machines: 1, firewalls: 1, keys: 0 });
  expect(standIn.account.everMade).toHaveLength(1);
  const store = readControllerStore(storePath);
  expect(store.machineRecord("web-1")?.machine?.id).toBe(ids()[0]);
  store.close();
});

test("nothing is made, given back or collected while somebody else does; looking needs no turn", async () => {
  const { operator, left } = provisionWorld();
  const ann = operator();
  await ann.provision("web-1", true);
  const release = takeProvisioningLock({ home: ann.home, holder: "test" }, "acme");
  const refused = [
    await ann.provision("web-2", true),
    await ann.deprovision("web-1", { yes: true }),
    await ann.gc(undefined, true),
  ];
  for (const { code, said } of refused) {
    expect(code).toBe(1);
    expect(said).toContain(BUSY);
  }
  expect(await ann.provision(undefined, false)).toMatchObject({ code: 2 });
  expect(left()).toMatchObject({ machines: 1 });
  release();
  expect(await ann.provision("web-2", true)).toMatchObject({ code: 0 });
});

test("the lock ends with its process, however that ends", async () => {
  const { operator } = provisionWorld();
  const ann = operator();
  const path = join(ann.storePath, "provisioning.lock");
  mkdirSync(dirname(path), { recursive: true });
  const program = `const { takeFileLock } = await import(${JSON.stringify(LOCK)});
    takeFileLock(${JSON.stringify(path)}); console.log("taken"); setInterval(() => {}, 1_000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", program]);
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  const busy = await ann.provision("web-1", true);
  expect(busy.code).toBe(1);
  expect(busy.said).toContain("being seen to by another al\n");
  holder.kill("SIGKILL");
  await once(holder, "close");
  expect(await ann.provision("web-1", true)).toMatchObject({ code: 0 });
});
