import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeLockedHost, writeLockedKey } from "../../../src/cli/lock-file.ts";
import { temporaryDirectory } from "../git/git-fixture.ts";

const facts = (number: number) => ({
  ...{ instanceId: `i-${number}`, address: `192.0.2.${number}`, port: 22, user: "deploy" },
  hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGf",
});

test("fleet.lock.toml holds hosts by name, each as it was told last", async () => {
  const project = temporaryDirectory();
  const text = () => readFileSync(join(project, "fleet.lock.toml"), "utf8");
  expect(await writeLockedHost(project, "gone", undefined)).toEqual([]);
  expect(readdirSync(project)).toEqual([]);
  await writeLockedHost(project, "b", facts(2));
  await writeLockedHost(project, "a", facts(1));
  const { port: _port, ...rest } = facts(3);
  expect(await writeLockedHost(project, "b", rest)).toEqual([]);
  expect(
    text(),
  ).toBe(`# Public facts about the machines of fleet.toml, written by \`al provision\`. It approves nothing:
# which key a host must prove is in the controller's own store.

[hosts.a]
instanceId = "i-1"
address = "192.0.2.1"
port = 22
user = "deploy"
hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGf"

[hosts.b]
instanceId = "i-3"
address = "192.0.2.3"
user = "deploy"
hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGf"
`);
  const same = text();
  await writeLockedHost(project, "b", rest);
  expect(text()).toBe(same);
  await writeLockedHost(project, "a", undefined);
  expect(text()).not.toContain("hosts.a");
  expect(readdirSync(project)).toEqual(["fleet.lock.toml"]);
});

test("a host's key is replaced where fleet.lock.toml has the host, and only there", async () => {
  const project = temporaryDirectory();
  expect(await writeLockedKey(project, "a", "ssh-ed25519 AAAANEW")).toBe(false);
  expect(readdirSync(project)).toEqual([]);
  await writeLockedHost(project, "a", facts(1));
  await writeLockedHost(project, "b", facts(2));
  const before = readFileSync(join(project, "fleet.lock.toml"), "utf8");
  expect(await writeLockedKey(project, "c", "ssh-ed25519 AAAANEW")).toBe(false);
  expect(await writeLockedKey(project, "a", "ssh-ed25519 AAAANEW")).toBe(true);
  const after = before.replace(facts(1).hostKey, "ssh-ed25519 AAAANEW");
  expect(readFileSync(join(project, "fleet.lock.toml"), "utf8")).toBe(after);
});

test("who has an address has it alone: a machine that had it before is gone", async () => {
  const project = temporaryDirectory();
  await writeLockedHost(project, "a", facts(1));
  await writeLockedHost(project, "b", facts(2));
  const taken = { ...facts(3), address: facts(1).address };
  expect(await writeLockedHost(project, "c", taken)).toEqual(["a"]);
  const text = readFileSync(join(project, "fleet.lock.toml"), "utf8");
  expect([...text.matchAll(/^\[hosts\.(.)\]$/gm)].map(([, name]) => name)).toEqual(["b", "c"]);
});

test("a fleet.lock.toml that cannot be read is not overwritten", async () => {
  const project = temporaryDirectory();
  const path = join(project, "fleet.lock.toml");
  for (const text of ["[hosts.a\n", '[hosts.a]\naddress = "192.0.2.1"\n', "<<<<<<< HEAD\n"]) {
    writeFileSync(path, text);
    const refused = writeLockedHost(project, "b", facts(2));
    await expect(refused).rejects.toMatchObject({ code: "invalid-lock", blame: "user" });
    expect(readFileSync(path, "utf8")).toBe(text);
  }
});
