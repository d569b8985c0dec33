import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterAll, beforeAll, expect, test } from "vitest";
import { storeDirectory } from "../../src/cli/wake.ts";
import { readControllerStore } from "../../src/state/controller-store.ts";
import { fingerprintOfText } from "../../src/transport/host-key.ts";
import { openssh } from "../lab/openssh.ts";
import { type ModelServer, startModelServer } from "../model-server/server.ts";
import { jsonLines, runAl, spawnAl } from "../world/al.ts";
import { type CloudWorld, createCloudWorld } from "../world/cloud-world.ts";
import { addCredential } from "../world/home.ts";
import { writeSampleProject } from "../world/sample-project.ts";
import { alOnTerminal } from "../world/terminal.ts";
import { orFail } from "../world/world.ts";

const PROJECT = "rented";
const KEY = "sk-rented-to-us";
const FLEET = `[project]\nname = "${PROJECT}" # ours\n`;
/** What is ours on a machine: files with the key's value, containers, volumes, what lies in our directory. */
const OURS = `grep -rl ${KEY} /home /var/lib/docker/volumes; docker ps -aq; docker volume ls -q;
find /home/deploy/.action-llama/projects -mindepth 1`;

let world: CloudWorld;
let model: ModelServer;
/** Id of the run that is under way when the host is given back. */
let run: string;

beforeAll(async () => {
  world = await createCloudWorld(OURS);
  model = await startModelServer({ host: world.gatewayAddress, expectedKey: KEY, script: [] });
  await addCredential(world.home, "anthropic_key/default/token", `${KEY}\n`);
  await writeSampleProject(world.copy, {
    project: PROJECT,
    baseImage: world.lab.baseImage,
    host: { name: "none", address: "192.0.2.1", port: 22 },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: model.url },
  });
  await world.copy.write("fleet.toml", FLEET);
}, 500_000);

afterAll(async () => {
  await model?.close();
  await world?.remove(PROJECT);
});

const read = (name: string) => readFile(join(world.copy.directory, name), "utf8");
const atVultr = () => {
  const { instances, groups, sshKeys } = world.vultr.standIn.account;
  return { instances: instances.size, groups: groups.size, sshKeys: sshKeys.size };
};
const store = () => readControllerStore(storeDirectory(join(world.home, ".action-llama"), PROJECT));

/** What fleet.lock.toml says of the host. */
async function facts() {
  const { hosts = {} } = parse(await read("fleet.lock.toml"));
  return (hosts as Record<string, { address: string; hostKey: string }>)["web-1"];
}

async function inside(script: string): Promise<string> {
  const [machine] = world.machines();
  return (await machine?.exec("sh", "-c", script))?.stdout ?? "no machine";
}

/** From now on the model has runs carry out this command. */
function say(command: string): void {
  model.use([{ turns: [{ toolCalls: [{ name: "bash", input: { command } }] }, { text: "done" }] }]);
}

test("on a terminal a host is picked from what is sold, and written into fleet.toml", async () => {
  const answers = [
    { to: "add a host?", type: "y" },
    { to: "Name of the new host", type: "web-1\r" },
    { to: "Region", type: "amst\r" },
    { to: "Plan", type: "2c-4gb\r" },
    { to: "Distribution", type: "\r" },
    { to: "do this?", type: "n" },
  ];
  const args = ["-p", world.copy.directory, "provision"];
  const { code, screen } = await alOnTerminal(args, answers, world.options);
  expect(code, screen).toBe(1);
  expect(screen).toContain("1 new machine: $20.00 a month");
  expect(await read("fleet.toml")).toBe(
    `${FLEET}\n[hosts.web-1]\nprovider = "vultr"\nregion = "ams"\nplan = "vc2-2c-4gb"\nos = "debian-13"\n`,
  );
  expect(atVultr()).toEqual({ instances: 0, groups: 0, sshKeys: 0 });
});

test("where nobody can be asked nothing is ordered without a yes", async () => {
  const { code, stdout } = await world.al("provision");
  expect(code).toBe(2);
  expect(stdout).toContain(
    "1 new machine: $20.00 a month, from now on\nto do this: al provision --yes",
  );
  expect(atVultr()).toEqual({ instances: 0, groups: 0, sshKeys: 0 });
});

test("a machine is made whose key is its own, and approved; the one in user data opens nothing", async () => {
  orFail(await world.al("provision", "--yes"));
  const { address = "", hostKey = "" } = (await facts()) ?? {};
  expect(await inside("cat /etc/ssh/ssh_host_ed25519_key.pub")).toContain(hostKey);
  expect(await inside("cat /var/lib/cloud/instance/user-data.txt")).not.toContain(hostKey);
  const privateKey = world.login.privateKey.reveal();
  const view = { address, port: 22, user: "deploy", privateKey };
  const left = "docker image ls -aq; docker ps -aq; ls -d /tmp/tmp.* 2>/dev/null; true";
  const { code, stdout } = await openssh({ ...view, hostPublicKey: hostKey }, left);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  const controller = store();
  expect(controller.hostKey("web-1")).toBe(fingerprintOfText(hostKey));
  const first = controller.machineRecord("web-1")?.attempts[0]?.hostKey ?? "";
  controller.close();
  const old = await openssh({ ...view, hostPublicKey: first }, "true");
  expect(old.code).toBe(255);
  expect(old.stderr).toContain("Host key verification failed");
}, 400_000);

test("what is committed then is applied, and a first run finishes", async () => {
  await world.copy.commit("a machine");
  const { stdout } = await world.al("--json", "approve");
  const [{ approvals }] = jsonLines(stdout) as [{ approvals: Record<string, string>[] }];
  expect(approvals).toEqual([expect.objectContaining({ kind: "grant", host: "web-1" })]);
  for (const { credential = "", agent = "", host = "" } of approvals) {
    orFail(await world.al("approve", "grant", credential, agent, host));
  }
  orFail(await world.al("apply"));
  say("cat /usr/local/share/greeting.txt");
  const followed = orFail(await world.al("run", "greeter", "--follow"));
  expect(followed.stdout).toContain("run completed");
  expect(model.requests.at(-1)?.text).toContain("hello from the image");
  const [listed] = jsonLines(orFail(await world.al("--json", "runs")).stdout);
  expect(listed).toMatchObject({ host: "web-1", agent: "greeter", outcome: "completed" });
});

test("al host check sees the settings of its sshd, with no sudo there, and leaves nothing", async () => {
  const containers = () => inside("docker ps -aq | sort");
  const before = await containers();
  const look = () => world.al("--json", "host", "check", "web-1");
  const [checked] = jsonLines((await look()).stdout);
  expect(checked).toMatchObject({ kind: "checked", host: "web-1", unseen: [] });
  await inside("echo 'PasswordAuthentication yes' > /etc/ssh/sshd_config.d/00-a.conf");
  const [open] = jsonLines((await look()).stdout);
  await inside("rm /etc/ssh/sshd_config.d/00-a.conf");
  expect(open?.findings).toContainEqual(expect.objectContaining({ topic: "sshd" }));
  expect(await containers()).toBe(before);
});

test("it keeps its key over a reboot, and another al provision leaves all as it is", async () => {
  const before = await facts();
  await world.machines()[0]?.reboot();
  const again = orFail(await world.al("provision", "web-1", "--yes"));
  expect(again.stdout).toContain("web-1: is ready");
  expect(await facts()).toEqual(before);
  expect(atVultr()).toEqual({ instances: 1, groups: 1, sshKeys: 0 });
});

test("al host rotate-key gives it another key, which everything knows that connects", async () => {
  const before = await facts();
  orFail(await world.al("host", "rotate-key", "web-1"));
  const { hostKey = "" } = (await facts()) ?? {};
  expect(hostKey).not.toBe(before?.hostKey);
  const files = await inside("cat /etc/ssh/ssh_host_*.pub; ls /etc/ssh");
  expect(files).toContain(hostKey);
  expect(files).not.toContain("al-next");
  const controller = store();
  expect(controller.believedKeys("web-1")).toEqual([fingerprintOfText(hostKey)]);
  controller.close();
  orFail(await world.al("apply"));
  orFail(await world.al("provision", "web-1", "--yes"));
  expect(await facts()).toEqual({ ...before, hostKey });
});

test("a host that was stopped is not given back while a run is under way there", async () => {
  say("until [ -e /tmp/go ]; do sleep 0.1; done; echo went well");
  const started = orFail(await world.al("run", "greeter"));
  run = started.stdout.trim().toLowerCase();
  const isUnderWay = () => inside(`docker ps -q --filter name=run-${run}`);
  await expect.poll(isUnderWay, { timeout: 60_000 }).not.toBe("");
  orFail(await world.al("stop", "--host", "web-1"));
  const { code, stderr } = await world.al("deprovision", "web-1", "--yes");
  expect(code).toBe(1);
  expect(stderr).toContain("it is stopped, and 1 run is under way there");
  expect(await isUnderWay()).not.toBe("");
  orFail(await world.al("start", "--host", "web-1"));
});

test("a host that left fleet.toml, and was given up, keeps its machine until somebody says otherwise", async () => {
  await world.copy.write("fleet.toml", FLEET);
  await world.copy.commit("without it");
  const told = "which fleet.toml no longer asks for, is still paid for: al deprovision web-1";
  expect(orFail(await world.al("provision", "--yes")).stdout).toContain(told);
  expect(orFail(await world.al("provision", "--gc", "--yes")).stdout).toContain(told);
  // From here on this store knows no more of what lies there than one that never deployed.
  expect(orFail(await world.al("host", "forget", "web-1")).stdout).toContain(told);
  const { code, stdout } = await world.al("deprovision", "web-1");
  expect({ code, stdout }).toMatchObject({ code: 2 });
  expect(stdout).toContain("to do this: al deprovision web-1 --yes");
  expect(atVultr()).toMatchObject({ instances: 1, groups: 1 });
  expect(await inside(OURS)).toContain(`/${PROJECT}/`);
});

test("interrupted while it waits for a run, it says what that leaves, and the machine stays", async () => {
  const child = spawnAl(
    ["-p", world.copy.directory, "deprovision", "web-1", "--yes"],
    world.options,
  );
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => {
    said += bytes.toString();
    // A second signal would end it at once.
    if (!child.killed && said.includes("waiting for 1 run to end")) child.kill("SIGINT");
  });
  const [code] = await once(child, "close");
  expect({ code, said }).toMatchObject({ code: 1 });
  expect(said).toContain("interrupted: host web-1 keeps its machine, and stays paused");
  expect(atVultr()).toMatchObject({ instances: 1, groups: 1 });
});

test("it is given back after its run has ended, with nothing of ours on it, and forgotten", async () => {
  let released = Promise.resolve("");
  const onLine = (line: string) => {
    if (!line.includes("waiting for 1 run to end")) return;
    const go = `docker exec $(docker ps -q --filter name=run-${run}) touch /tmp/go`;
    released = inside(`until ${go}; do sleep 0.1; done; echo released`);
  };
  const args = ["-p", world.copy.directory, "deprovision", "web-1", "--yes"];
  const { stdout } = orFail(await runAl(args, { ...world.options, onLine }));
  expect(await released).toBe("released\n");
  expect(stdout).toContain("web-1: given back");
  expect(model.requests.at(-1)?.text).toContain("went well");
  expect(world.lastSight()).toBe("");
  expect(atVultr()).toEqual({ instances: 0, groups: 0, sshKeys: 0 });
  expect(world.machines()).toEqual([]);
  expect(await facts()).toBeUndefined();
  const controller = store();
  expect([controller.machineRecord("web-1"), controller.knownHosts()]).toEqual([undefined, []]);
  controller.close();
});
