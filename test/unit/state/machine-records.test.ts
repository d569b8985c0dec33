import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { MachineRecord } from "../../../src/core/machine.ts";
import type { MachineRecords } from "../../../src/provisioning/ports.ts";
import { openControllerStore, readControllerStore } from "../../../src/state/controller-store.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-store-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const attempts = [{ nonce: "n1", hostKey: "ssh-ed25519 AAAA" }];

test("what was ordered for a host is there for the next process, until it is forgotten", () => {
  const open: MachineRecord = { host: "web-2", attempts, machine: undefined };
  const settled = { host: "web-1", attempts, machine: { id: "i1", nonce: "n1" } };
  const store = openControllerStore(directory);
  const records: MachineRecords = store;
  records.recordMachine(open);
  records.recordMachine({ ...settled, machine: undefined });
  records.recordMachine(settled);
  store.close();
  const again = openControllerStore(directory);
  expect(again.machineRecords()).toEqual([settled, open]);
  expect(again.machineAccount()).toBeUndefined();
  again.recordAccount("Example <a@example.com>");
  again.recordAccount("Example <b@example.com>");
  expect(again.machineAccount()).toBe("Example <b@example.com>");
  again.forgetMachine("web-2");
  again.forgetMachine("web-2");
  expect(again.machineRecord("web-2")).toBeUndefined();
  expect(again.machineRecord("web-1")).toEqual(settled);
  again.close();
});

test("a plan's copy of the store shows machines and refuses to change them", () => {
  const store = openControllerStore(directory);
  store.recordMachine({ host: "web-1", attempts, machine: undefined });
  store.close();
  const copy = readControllerStore(directory);
  expect(copy.machineRecord("web-1")?.attempts).toEqual(attempts);
  const refused = expect.objectContaining({ code: "store-read-only" });
  expect(() => copy.forgetMachine("web-1")).toThrow(refused);
  expect(() => copy.recordAccount("Example")).toThrow(refused);
  expect(() => copy.recordMachine({ host: "a", attempts, machine: undefined })).toThrow(refused);
  copy.close();
});
