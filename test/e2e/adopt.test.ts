import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMachines } from "../../src/cli/machines.ts";
import type { Login, MachinesPort } from "../../src/provisioning/adopt-ports.ts";
import { hardenSshd } from "../../src/provisioning/harden-sshd.ts";
import { fingerprintOf } from "../lab/keys.ts";
import { openssh } from "../lab/openssh.ts";
import { type AlResult, jsonLines, runAl, spawnAl } from "../world/al.ts";
import { alOnTerminal } from "../world/terminal.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const PROJECT = "adopt";
const OTHER = `SHA256:${"A".repeat(43)}`;

let world: World;
let hardened: string;

beforeAll(async () => {
  world = await createWorld("adopt", () => {});
  hardened = join(world.home, "hardened");
  await mkdir(hardened);
  await world.copy.write("fleet.toml", `[project]\nname = "${PROJECT}" # ours\n`);
  await asRoot("mkdir -p /root/.ssh; cp /home/deploy/.ssh/authorized_keys /root/.ssh/");
  await asRoot("chown -R root: /root/.ssh; chmod 700 /root/.ssh");
});

afterAll(async () => world?.remove(PROJECT));

/** Runs `al -p <working copy> ARGS`. */
function al(...args: string[]): Promise<AlResult> {
  return runAl(["-p", world.copy.directory, ...args], world.options);
}

const provision = () => ["provision", "one", "--ssh", `deploy@${world.host.address}`];
const fleetFile = () => readFile(join(world.copy.directory, "fleet.toml"), "utf8");
const asRoot = async (script: string) =>
  (await world.host.exec(["sh", "-c", script])).stdout.trim();

test("a machine is not logged in to before its key was confirmed", async () => {
  const before = await fleetFile();
  const { code, stderr } = await al(...provision());
  expect(code).toBe(1);
  expect(stderr).toContain(`--fingerprint ${world.host.hostKeyFingerprint}`);
  const wrong = await al("--json", ...provision(), "--fingerprint", OTHER);
  expect(jsonLines(wrong.stdout)).toEqual([expect.objectContaining({ code: "host-key-mismatch" })]);
  expect(await asRoot("grep -c Accepted /var/log/sshd.log")).toBe("0");
  expect(await fleetFile()).toBe(before);
});

test("on a terminal the fingerprint is shown, and a yes makes the machine a host", async () => {
  const answers = [{ to: "the key of host one", type: "y" }];
  const args = ["-p", world.copy.directory, ...provision()];
  const { code, screen } = await alOnTerminal(args, answers, world.options);
  expect({ code, screen }).toMatchObject({ code: 0 });
  expect(screen).toContain(world.host.hostKeyFingerprint);
  expect(screen).toMatch(/one: Debian GNU\/Linux 12 .*amd64, Docker 20\.10/);
  expect(await fleetFile()).toBe(
    `[project]\nname = "${PROJECT}" # ours\n\n[hosts.one]\naddress = "${world.host.address}"\n` +
      'port = 22\nuser = "deploy"\narchitecture = "amd64"\n',
  );
});

test("once more it asks nothing and writes nothing", async () => {
  const before = await fleetFile();
  const again = await al("--json", ...provision());
  expect(jsonLines(again.stdout)).toEqual([
    expect.objectContaining({
      kind: "adopted",
      fingerprint: world.host.hostKeyFingerprint,
      written: false,
    }),
  ]);
  expect(await fleetFile()).toBe(before);
});

test("the host is listed with its approved key, without being asked", async () => {
  const { stdout } = orFail(await al("--json", "host", "ls"));
  expect(jsonLines(stdout)).toEqual([
    expect.objectContaining({ host: "one", approvedKey: world.host.hostKeyFingerprint }),
  ]);
});

test("al host ssh runs a command there, word for word, and hands on its exit code", async () => {
  const { stdout } = orFail(await al("host", "ssh", "one", "--", "printf", "%s|", "a b", "$HOME"));
  expect(stdout).toBe("a b|$HOME|");
  expect((await al("host", "ssh", "one", "--", "sh", "-c", "exit 7")).code).toBe(7);
});

test("al host check says what to do about what is found", async () => {
  await asRoot("cp /etc/resolv.conf /root/; echo 'nameserver 169.254.169.253' > /etc/resolv.conf");
  const { code, stdout } = await al("--json", "host", "check", "one");
  await asRoot("cat /root/resolv.conf > /etc/resolv.conf");
  expect(code).toBe(1);
  const [checked] = jsonLines(stdout) as { findings?: { topic: string; says: string }[] }[];
  expect(checked?.findings).toContainEqual(
    expect.objectContaining({
      severity: "problem",
      topic: "dns",
      says: expect.stringContaining("169.254.169.253"),
      todo: expect.stringContaining("daemon.json"),
    }),
  );
});

test("a host is hardened only when asked, and says before what it would change", async () => {
  const { code, stdout } = await harden();
  expect({ code, stdout }).toEqual({
    code: 2,
    stdout: expect.stringContaining("ClientAliveInterval 5"),
  });
  expect(stdout).toMatch(/install +fail2ban, python3-systemd, unattended-upgrades\n/);
  expect(stdout).toContain("to do this, repeat it with --yes");
  expect(await asRoot("ls /etc/ssh/sshd_config.d; command -v fail2ban-server")).toBe("lab.conf");
});

test("a hardened host is safer by itself, and anybody with a key still gets in", async () => {
  const answers = [{ to: "change this on one?", type: "y" }];
  const { code, screen } = await alOnTerminal(hardenArguments(), answers, world.options);
  expect({ code, screen }).toMatchObject({ code: 0 });
  expect(await asRoot("sshd -T")).toMatch(/^clientaliveinterval 5$/m);
  expect(await asRoot("ls /etc/ssh/sshd_config.d /run | grep action-llama")).toBe(
    "00-action-llama.conf",
  );
  const files = ["apt/apt.conf.d/60action-llama", "fail2ban/jail.d/action-llama.local"];
  expect(await asRoot(`cd /etc; ls ${files.join(" ")}`)).toBe(files.join("\n"));
  expect(
    await asRoot("fail2ban-server --test; apt-config dump | grep ::Unattended-Upgrade"),
  ).toMatch(/OK: configuration test is successful\n.*"1"/);
  expect(JSON.parse(await asRoot("cat /etc/docker/daemon.json"))).toMatchObject({
    "live-restore": true,
    "log-opts": { "max-size": "10m" },
  });
  expect(await asRoot("docker info --format '{{.LiveRestoreEnabled}}'")).toBe("true");
  expect((await openssh(world.host, "id -un")).stdout.trim()).toBe("deploy");
  const { stdout: checked } = await runAl(
    ["-p", hardened, "--json", "host", "check", "one"],
    world.options,
  );
  expect(checked).toContain('"findings"');
  expect(checked).not.toMatch(/"topic":"(sshd|updates|docker)"/);
});

test("what was taken off a hardened host comes back, and nothing else is done", async () => {
  await asRoot("rm /etc/fail2ban/jail.d/action-llama.local");
  const mended = orFail(await harden("--yes"));
  expect(mended.stdout).toContain("/etc/fail2ban/jail.d/action-llama.local");
  expect(mended.stdout).not.toMatch(/install|sshd/);
  const again = orFail(await harden("--json", "--yes"));
  const nothing = {
    kind: "harden-plan",
    host: "one",
    packages: [],
    files: [],
    docker: [],
    sshd: [],
    begun: false,
  };
  expect(jsonLines(again.stdout).slice(1)).toEqual([nothing]);
});

test("where the second login fails, the host is as it was, by itself", async () => {
  await asRoot("rm /etc/ssh/sshd_config.d/00-action-llama.conf; kill -HUP $(cat /run/sshd.pid)");
  const before = await asRoot("sshd -T");
  let logins = 0;
  const cut: MachinesPort = {
    ...machines(),
    async connect(login, options) {
      logins += 1;
      if (logins === 2) await world.host.disconnect();
      return machines().connect(login, options);
    },
  };
  const hardening = { login: root(), fingerprint: world.host.hostKeyFingerprint, trialSeconds: 5 };
  await expect(hardenSshd(cut, hardening)).rejects.toMatchObject({ code: "harden-unconfirmed" });
  await expect.poll(() => asRoot("ls -d /run/action-llama-sshd"), { timeout: 30_000 }).toBe("");
  await world.host.connect();
  expect(await asRoot("sshd -T")).toBe(before);
  // The network takes a moment to know it again.
  const login = () => openssh(world.host, "id -un");
  await expect.poll(login, { timeout: 60_000 }).toMatchObject({ code: 0, stdout: "deploy\n" });
});

test("al host rotate-key may be killed anywhere: the host is deployed to, and the next one finishes", async () => {
  await world.copy.commit("a host");
  const kills = [
    ["make", 300],
    ["take", 300],
    ["prove", 0],
  ] as const;
  for (const [step, afterMs] of kills) {
    await rotateAndKill(step, afterMs);
    orFail(await al("host", "ssh", "one", "--", "true"));
    expect(jsonLines((await al("--json", "plan")).stdout)).toContainEqual(
      expect.objectContaining({ kind: "plan", outcomes: { planned: 1 } }),
    );
  }
  const { stdout } = orFail(await al("--json", "host", "rotate-key", "one"));
  const [rotated] = jsonLines(stdout).filter(({ kind }) => kind === "key-rotated");
  const publicKey = await asRoot("cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub");
  expect(rotated).toMatchObject({ hostKey: publicKey, fingerprint: fingerprintOf(publicKey) });
  expect(publicKey).not.toBe(world.host.hostPublicKey);
  expect(await approvedKeys()).toEqual({ approvedKey: rotated?.fingerprint });
  expect(await asRoot("ls /etc/ssh | grep al-; docker image ls -q; docker ps -aq")).toBe("");
});

test("a host that is restarted has its new key", async () => {
  await world.host.restart();
  orFail(await al("host", "ssh", "one", "--", "true"));
});

test("a host with another key than the approved one is not logged in to", async () => {
  const { approvedKey } = await approvedKeys();
  await asRoot(
    "rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; kill -HUP $(cat /run/sshd.pid)",
  );
  const { code, stderr } = await al("host", "ssh", "one", "--", "true");
  expect(code).toBe(1);
  expect(stderr).toContain(`approved is ${approvedKey}`);
});

/** Runs `al host rotate-key` and kills it a while after a step has begun, if it is there still. */
async function rotateAndKill(step: string, afterMs: number): Promise<void> {
  const args = ["-p", world.copy.directory, "--json", "host", "rotate-key", "one"];
  const child = spawnAl(args, world.options);
  const closed = once(child, "close");
  for await (const line of createInterface({ input: child.stdout })) {
    if (jsonLines(line)[0]?.step === step) break;
  }
  await delay(afterMs);
  child.kill("SIGKILL");
  await closed;
}

async function approvedKeys() {
  const [host] = jsonLines(orFail(await al("--json", "host", "show", "one")).stdout);
  const { approvedKey, nextKey } = host ?? {};
  return { approvedKey, nextKey };
}

function harden(...flags: string[]): Promise<AlResult> {
  return runAl([...hardenArguments(), ...flags], world.options);
}

/** By root, in a project of its own: the lab's deploy may not become root. */
function hardenArguments(): string[] {
  const { address, hostKeyFingerprint } = world.host;
  const login = ["--ssh", `root@${address}`, "--fingerprint", hostKeyFingerprint];
  return ["-p", hardened, "provision", "one", ...login, "--harden"];
}

function machines(): MachinesPort {
  return openMachines(join(world.home, ".action-llama"));
}

/** Let in by deploy's key; the lab's deploy may not become root. */
function root(): Login {
  return { host: "one", address: world.host.address, port: world.host.port, user: "root" };
}
