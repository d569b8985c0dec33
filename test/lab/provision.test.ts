import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hostRotateKey } from "../../src/cli/commands/host-rotate-key.ts";
import { provision } from "../../src/cli/commands/provision.ts";
import type { CliContext } from "../../src/cli/context.ts";
import { createOutput } from "../../src/cli/render/output.ts";
import { storeDirectory } from "../../src/cli/wake.ts";
import { generateSshKeyPair } from "../../src/provisioning/ssh-key-pair.ts";
import { readControllerStore } from "../../src/state/controller-store.ts";
import { fingerprintOfText } from "../../src/transport/host-key.ts";
import { startVultrServer, type VultrServer } from "../vultr/server.ts";
import { type CloudMachine, CloudMachines, ensureCloudImage } from "./cloud-machine.ts";
import { openssh } from "./openssh.ts";
import { setUpLab } from "./set-up.ts";

const log = () => undefined;
const login = generateSshKeyPair();
const directory = mkdtempSync(join(tmpdir(), "al-provision-"));
const [home, project] = [join(directory, "home"), join(directory, "project")];
let machines: CloudMachines;
let server: VultrServer;
let said = "";

beforeAll(async () => {
  const { engine } = await setUpLab({ log });
  machines = new CloudMachines(engine, await ensureCloudImage(engine, "debian-13", { log }));
  server = await startVultrServer({ machines });
  store("vultr_api_key/default/api_key", `${server.standIn.key}\n`);
  store("vps_ssh/default/private_key", login.privateKey.reveal());
  mkdirSync(project);
  writeFileSync(
    join(project, "fleet.toml"),
    '[project]\nname = "acme"\n[hosts.web-1]\nprovider = "vultr"\nregion = "ams"\nplan = "vc2-2c-4gb"\n',
  );
}, 500_000);
afterAll(async () => {
  for (const id of [...machines.machines.keys()]) await machines.destroy(id);
  await server.close();
  rmSync(directory, { recursive: true });
});

function store(path: string, value: string): void {
  const file = join(home, "credentials", path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, value, { mode: 0o600 });
}

const contextFor = (signal: AbortSignal) => {
  const write = (text: string) => {
    said += text;
  };
  return {
    ...{ home, project, signal, interactive: false, vultrUrl: server.baseUrl, dockerSocket: "" },
    ...{ gitVariables: {}, holder: "test", person: "ann@laptop" },
    output: createOutput(false, { out: { write }, err: { write } }),
  } satisfies CliContext;
};
const al = (signal: AbortSignal) => provision(contextFor(signal), { host: undefined, yes: true });

const facts = () => {
  const lock = parse(readFileSync(join(project, "fleet.lock.toml"), "utf8"));
  return (lock.hosts as Record<string, { address: string; hostKey: string }>)["web-1"];
};

test("al provision ends with a machine that has a key of its own, which is approved", async () => {
  expect(await al(new AbortController().signal), said).toBe(0);
  const { address = "", hostKey = "" } = facts() ?? {};
  const [machine] = [...machines.machines.values()] as [CloudMachine];
  const cat = async (path: string) => (await machine.exec("cat", path)).stdout;
  expect(await cat("/etc/ssh/ssh_host_ed25519_key.pub")).toContain(hostKey);
  expect(await cat("/var/lib/cloud/instance/user-data.txt")).not.toContain(hostKey);
  const view = { address, port: 22, user: "deploy", privateKey: login.privateKey.reveal() };
  const docker = "docker image ls -aq; docker ps -aq; ls -d /tmp/tmp.* 2>/dev/null; true";
  const { code, stdout } = await openssh({ ...view, hostPublicKey: hostKey }, docker);
  expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: "" });
  const controller = readControllerStore(storeDirectory(home, "acme"));
  expect(controller.hostKey("web-1")).toBe(fingerprintOfText(hostKey));
  const first = controller.machineRecord("web-1")?.attempts[0]?.hostKey ?? "";
  controller.close();
  const old = await openssh({ ...view, hostPublicKey: first }, "true");
  expect({ code: old.code, stderr: old.stderr }).toEqual({
    code: 255,
    stderr: expect.stringContaining("Host key verification failed"),
  });
});

test("a machine keeps its key over a reboot, and another al provision leaves all as it is", async () => {
  const before = facts();
  const [machine] = [...machines.machines.values()] as [CloudMachine];
  await machine.reboot();
  expect(await al(new AbortController().signal), said).toBe(0);
  expect(facts()).toEqual(before);
  expect((await machine.exec("cat", "/etc/ssh/ssh_host_ed25519_key.pub")).stdout).toContain(
    before?.hostKey,
  );
  expect(machines.machines.size).toBe(1);
});

test("al host rotate-key gives it another key, which fleet.lock.toml and al provision know", async () => {
  const before = facts();
  const context = contextFor(new AbortController().signal);
  expect(await hostRotateKey(context, "web-1"), said).toBe(0);
  const { address = "", hostKey = "" } = facts() ?? {};
  expect(hostKey).not.toBe(before?.hostKey);
  const [machine] = [...machines.machines.values()] as [CloudMachine];
  const files = await machine.exec("sh", "-c", "cat /etc/ssh/ssh_host_*.pub; ls /etc/ssh");
  expect(files.stdout).toContain(hostKey);
  expect(files.stdout).not.toContain("al-next");
  const view = { address, port: 22, user: "deploy", privateKey: login.privateKey.reveal() };
  expect(await openssh({ ...view, hostPublicKey: hostKey }, "docker image ls -aq")).toMatchObject({
    ...{ code: 0, stdout: "" },
  });
  const controller = readControllerStore(storeDirectory(home, "acme"));
  expect(controller.believedKeys("web-1")).toEqual([fingerprintOfText(hostKey)]);
  controller.close();
  expect(await provision(context, { host: "web-1", yes: true }), said).toBe(0);
  expect(facts()).toEqual({ ...before, hostKey });
});
