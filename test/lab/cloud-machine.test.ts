import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Secret } from "../../src/base/secret.ts";
import { MACHINE_OSES } from "../../src/core/machine.ts";
import { newMachine } from "../../src/host/new-machine.ts";
import { fingerprintOfText } from "../../src/transport/host-key.ts";
import { connectSsh } from "../../src/transport/ssh.ts";
import { type ContactWorld, contactConformance } from "../conformance/contact-suite.ts";
import { cutCable, startGuesser } from "./cloud-faults.ts";
import { type CloudOs, ensureCloudImage } from "./cloud-machine.ts";
import { firstBootFor, orderMachine } from "./cloud-order.ts";
import { execIn } from "./container-exec.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { currentRun, runLabels } from "./names.ts";
import { openssh } from "./openssh.ts";
import { setUpLab } from "./set-up.ts";

const log = () => undefined;
let engine: Engine;

beforeAll(async () => {
  ({ engine } = await setUpLab({ log }));
});

/** What `sshd -T` has to say, whatever other files ask for. */
const SSHD = [
  ...["passwordauthentication no", "kbdinteractiveauthentication no", "permitrootlogin no"],
  ...["authenticationmethods publickey", "clientaliveinterval 5", "clientalivecountmax 4"],
  "hostkey /etc/ssh/ssh_host_ed25519_key",
];

/** What a provider, or somebody at the machine, may do: settings in a later file, a key for root. */
const OTHERS = `printf 'PasswordAuthentication yes\\nPermitRootLogin yes\\n' >/etc/ssh/sshd_config.d/50-cloud-init.conf
install -d -m 700 /root/.ssh && cp /home/deploy/.ssh/authorized_keys /root/.ssh/authorized_keys`;

/** A container of the user's, of an image that is nothing but links to the machine's own programs. */
const KEEP = `cd "$(mktemp -d)" && ln -s /usr/bin bin && ln -s /usr/lib lib && ln -s /usr/lib64 lib64
tar -c . | docker import - kept >/dev/null
docker run -d --name kept -v /usr:/usr:ro --network none kept /bin/sleep infinity >/dev/null`;
const KEPT = "docker inspect -f '{{.State.Running}} {{.State.Pid}} {{.State.StartedAt}}' kept";

/** One that needs swap, which Debian 13's cloud-init would want to turn on, as no machine of the lab can. */
const ORDERS = [
  { os: "debian-13", plan: "vc2-2c-4gb", swap: "none" },
  { os: "debian-12", plan: "vc2-1c-1gb", swap: "600 1073741824 /swapfile none swap" },
] as const;

type Rig = Awaited<ReturnType<typeof orderMachine>>;

/** What has to be so whenever such a machine has booted. */
function holds(rigNow: () => Rig, swap: string): void {
  const asRoot = async (...argv: string[]) => (await rigNow().machine.exec(...argv)).stdout.trim();
  const asUser = async (command: string) => openssh(rigNow().view, command);

  test("runs everything that it should, and nothing failed", async () => {
    await asRoot("systemctl", "is-system-running", "--wait");
    expect(await asRoot("systemctl", "--failed", "--plain", "--no-legend")).toBe("");
    const units = ["ssh", "docker", "fail2ban", "unattended-upgrades", "apt-daily-upgrade.timer"];
    const answers = (await asRoot("systemctl", "is-active", ...units)).split("\n");
    expect(answers).toEqual(units.map(() => "active"));
  });

  test("offers the key that was made for it, and lets the user use Docker", async () => {
    const command = "id -nG; docker info -f '{{.LiveRestoreEnabled}} {{.LoggingDriver}}'";
    const { code, stdout } = await asUser(command);
    const lines = stdout.trim().split("\n");
    expect({ code, lines }).toEqual({ code: 0, lines: ["deploy docker", "true json-file"] });
  });

  test("lets nobody else in, whatever other files ask for", async () => {
    await asRoot("sh", "-c", OTHERS);
    const settings = (await asRoot("/usr/sbin/sshd", "-T")).split("\n");
    expect(settings).toEqual(expect.arrayContaining(SSHD));
    const { code, stderr } = await openssh({ ...rigNow().view, user: "root" }, "true");
    expect({ code, stderr }).toEqual({
      code: 255,
      stderr: expect.stringContaining("Permission denied (publickey)"),
    });
    expect(await asRoot("passwd", "--status", "deploy")).toMatch(/^deploy L /);
  });

  test("keeps what it logs within limits", async () => {
    const { stdout } = await asUser(
      "docker inspect -f '{{json .HostConfig.LogConfig.Config}}' kept",
    );
    expect(JSON.parse(stdout)).toEqual({ "max-size": "10m", "max-file": "3" });
    const said = await asRoot("journalctl", "--unit", "systemd-journald", "--no-pager");
    expect(said.split("\n").at(-1)).toMatch(/System Journal .* max 200/);
  });

  test("installs security upgrades by itself, and restarts nothing for them", async () => {
    const said = await asRoot("unattended-upgrade", "--dry-run", "--debug");
    expect(said).toMatch(/^Allowed origins are: .*Debian-Security/m);
    const settings = await asRoot("apt-config", "dump");
    expect(settings).toContain('APT::Periodic::Update-Package-Lists "1";');
    expect(settings).toContain('APT::Periodic::Unattended-Upgrade "1";');
    expect(settings).toContain('Unattended-Upgrade::Automatic-Reboot "false";');
  });

  test("has swap where its memory is small", async () => {
    const found = "stat -c '%a %s' /swapfile 2>/dev/null && grep -o '^/swapfile.*swap' /etc/fstab";
    const said = await asRoot("sh", "-c", `{ ${found}; } || echo none`);
    expect(said.replaceAll(/\s+/g, " ")).toBe(swap);
  });
}

describe.each(ORDERS)("a machine with $os, ordered at the stand-in for Vultr", (order) => {
  let rig: Rig;
  const rigNow = () => rig;
  const asRoot = async (...argv: string[]) => (await rig.machine.exec(...argv)).stdout.trim();
  beforeAll(async () => {
    rig = await orderMachine(engine, order);
  }, 500_000);
  afterAll(() => rig.close());

  test("boots without an error of cloud-init's", async () => {
    const { v1 } = JSON.parse(await asRoot("cat", "/run/cloud-init/result.json"));
    expect(v1.errors).toEqual([]);
  });

  test("lets containers live while Docker is restarted", async () => {
    await openssh(rig.view, KEEP);
    const before = await openssh(rig.view, KEPT);
    expect(before.stdout).toMatch(/^true /);
    await asRoot("systemctl", "restart", "docker");
    expect(await openssh(rig.view, KEPT)).toEqual(before);
  });

  describe("after its first boot", () => holds(rigNow, order.swap));

  test("ends a session whose cable was cut within a minute, and bans who guesses", async () => {
    const [cut, guesser] = await Promise.all([cutCable(rig), startGuesser(engine, order.os, rig)]);
    try {
      const refused = expect.stringContaining("refused");
      expect(await guesser.untilBanned()).toEqual([refused, refused]);
      expect((await openssh(rig.view, "true")).code).toBe(0);
      const seconds = await cut.untilEnded();
      expect(seconds).toBeGreaterThan(15);
      expect(seconds).toBeLessThan(60);
    } finally {
      await Promise.all([cut.close(), guesser.close()]);
    }
  });

  describe("after a restart", () => {
    beforeAll(() => rig.machine.reboot());
    holds(rigNow, order.swap);

    test("still bans who guessed", async () => {
      expect(await asRoot("fail2ban-client", "status", "sshd")).toMatch(/Banned IP list:\s+\d/);
    });
  });

  describe("met for the first time", () => {
    contactConformance(() => contactWith(rig));
  });

  test("is given back", async () => {
    await rig.release();
    expect(rig.machines.machines.size).toBe(0);
    expect(rig.records.machineRecords()).toEqual([]);
  });
});

/** The real way to a machine, as `al provision` has it. */
function contactWith({ view }: Rig): ContactWorld {
  const privateKey = new Secret(view.privateKey);
  const { address, port, user, hostPublicKey: firstKey } = view;
  return {
    ...{ place: { host: "cloud", address, port, user }, firstKey },
    contact: {
      async connect(place, hostKeys, { signal } = {}) {
        const hostKey = { kind: "pinned", fingerprints: hostKeys.map(fingerprintOfText) } as const;
        return newMachine(await connectSsh({ ...place, privateKey, hostKey, signal }));
      },
    },
  };
}

const OSES: readonly CloudOs[] = ["debian-13", "debian-12"];

test.each(OSES)(
  "cloud-init of %s finds nothing wrong with the documents of any distribution",
  async (booted) => {
    const docker = connectEngine(engine);
    const container = await docker.createContainer({
      Image: await ensureCloudImage(engine, booted, { log }),
      Cmd: ["sleep", "infinity"],
      Labels: runLabels(currentRun()),
      HostConfig: { Init: true, NetworkMode: "none" },
    });
    try {
      await container.start();
      for (const os of MACHINE_OSES) {
        const { userData } = await firstBootFor(os, 1024);
        const script = "cat > /tmp/user-data && cloud-init schema --config-file /tmp/user-data";
        const input = Readable.from([userData.reveal()]);
        const result = await execIn(docker, container, ["sh", "-c", script], input);
        expect(result).toMatchObject({ code: 0 });
        expect(result.stdout).toContain("Valid");
        const said = (result.stdout + result.stderr).replace(/^.*datasource not detected.*$/m, "");
        expect(said).not.toMatch(/deprecat|warn/i);
      }
    } finally {
      await container.remove({ force: true });
    }
  },
);
