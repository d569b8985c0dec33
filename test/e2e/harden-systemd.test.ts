import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CloudOs } from "../lab/cloud-machine.ts";
import { jsonLines } from "../world/al.ts";
import { type BareWorld, createBareWorld } from "../world/bare-world.ts";
import { orFail } from "../world/world.ts";

const OSES: readonly CloudOs[] = ["debian-13", "debian-12"];
const UNITS = ["ssh", "docker", "fail2ban", "unattended-upgrades", "systemd-journald"];
const FAILED = "systemctl --failed --plain --no-legend";
/** Timers, and units that failed: a trial that is over leaves none. */
const LEFTOVERS = `systemctl list-units --all --plain --no-legend --type=timer; ${FAILED}`;
/** Files of ours in the places where a trial puts some. */
const FILES = "ls /etc/ssh/sshd_config.d /run | grep action-llama";
const TIMER_RAN = "journalctl --unit 'action-llama-sshd-*.service' --no-pager";
const SETTINGS = "/usr/sbin/sshd -T";
/** Some of what it then has to print. */
const HARDENED = [
  ...["passwordauthentication no", "x11forwarding no", "logingracetime 30"],
  ...["clientaliveinterval 5", "clientalivecountmax 4"],
];
const BY_PASSWORD = "publickey,password";

let world: BareWorld;

describe.each(OSES)("a provider's machine with systemd and %s", (os) => {
  beforeAll(async () => {
    world = await createBareWorld(os);
  }, 500_000);
  afterAll(() => world?.remove());

  test("has nothing of ours", async () => {
    expect(await world.waysIn()).toBe(BY_PASSWORD);
    const packages = "dpkg-query -W openssh-server docker.io fail2ban unattended-upgrades";
    expect(await world.asRoot(`${packages} | cut -f 1`)).toBe("openssh-server");
    expect(await world.asRoot(FAILED)).toBe("");
  });

  describe("with settings on trial", isAsItWas);
  describe("hardened", isHardened);
});

function isAsItWas(): void {
  let before: readonly string[];
  const look = () => Promise.all([SETTINGS, LEFTOVERS, FILES].map((one) => world.asRoot(one)));
  beforeAll(async () => {
    before = await look();
  });

  test("takes its old ones back by its own timer when it is cut off", async () => {
    let cutAtMs = 0;
    const trial = world.tryOut(10, async () => {
      expect(await world.waysIn()).toBe("publickey");
      await world.asRoot("systemctl daemon-reload");
      await world.machine.disconnect();
      cutAtMs = Date.now();
    });
    const ended = trial.catch((thrown: unknown) => thrown);
    await expect.poll(() => cutAtMs, { timeout: 60_000 }).toBeGreaterThan(0);
    await expect.poll(world.waysIn, { timeout: 60_000 }).toBe(BY_PASSWORD);
    expect(Date.now() - cutAtMs).toBeLessThan(30_000);
    await expect.poll(look, { timeout: 10_000 }).toEqual(before);
    expect(await world.asRoot(TIMER_RAN)).toContain("/bin/sh /run/action-llama-sshd/revert");
    await world.machine.connect();
    await expect.poll(world.login, { timeout: 60_000 }).toBe("root");
    expect(await ended).toMatchObject({ code: "harden-unconfirmed" });
  });

  test("takes them back at once when only the second login fails", async () => {
    const trial = world.tryOut(600, async () => {
      expect(await world.waysIn()).toBe("publickey");
      throw new Error("nobody gets in");
    });
    await expect(trial).rejects.toMatchObject({
      code: "harden-unconfirmed",
      message: expect.stringContaining("nobody gets in"),
    });
    expect(await world.waysIn()).toBe(BY_PASSWORD);
    expect(await look()).toEqual(before);
  });

  test("has its old ones after a reboot, and the word that comes then is too late", async () => {
    const trial = world.tryOut(600, () => world.machine.reboot());
    await expect(trial).rejects.toMatchObject({
      code: "harden-unconfirmed",
      message: expect.stringContaining("the trial is over"),
    });
    expect(await world.waysIn()).toBe(BY_PASSWORD);
    expect(await world.asRoot(SETTINGS)).toBe(before[0]);
  });
}

function isHardened(): void {
  test("by al provision: what was changed counts at once, and nothing of the trial stays", async () => {
    const before = await world.asRoot(LEFTOVERS);
    const { stdout } = orFail(await world.harden("--install-docker", "--yes"));
    expect(stdout).toContain("install  fail2ban, python3-systemd, unattended-upgrades");
    expect(stdout).toContain("one: hardened");
    expect((await world.asRoot(SETTINGS)).split("\n")).toEqual(expect.arrayContaining(HARDENED));
    expect(await world.asRoot(FILES)).toBe("00-action-llama.conf");
    expect(await world.asRoot(LEFTOVERS)).toBe(before);
    await expectServices();
  }, 300_000);

  test("once more: there is nothing to do, and nothing to advise", async () => {
    expect(jsonLines(orFail(await world.harden("--json")).stdout)).toContainEqual({
      ...{ kind: "harden-plan", host: "one", packages: [], files: [], docker: [], sshd: [] },
      begun: false,
    });
    expect(orFail(await world.harden("--yes")).stdout).toContain("one: nothing to harden");
    const { stdout } = await world.al("--json", "host", "check", "one");
    expect(stdout).toContain('"findings"');
    expect(stdout).not.toMatch(/"topic":"(sshd|updates|docker)"/);
  });

  test("after a reboot too", async () => {
    await world.machine.reboot();
    await expectServices();
  });
}

/** All of them run, with the settings that were written for them. */
async function expectServices(): Promise<void> {
  const { asRoot } = world;
  expect(await asRoot(`systemctl is-active ${UNITS.join(" ")}`)).toBe(
    UNITS.map(() => "active").join("\n"),
  );
  expect(await asRoot(FAILED)).toBe("");
  expect(await world.waysIn()).toBe("publickey");
  const jail = () => asRoot("fail2ban-client get sshd maxretry; fail2ban-client get sshd bantime");
  await expect.poll(jail, { timeout: 30_000 }).toBe("5\n3600");
  const journal = await asRoot("journalctl --boot --unit systemd-journald --no-pager");
  expect(journal.split("\n").at(-1)).toMatch(/System Journal .* max 200/);
  const liveRestore = () => asRoot("docker info --format '{{.LiveRestoreEnabled}}'");
  await expect.poll(liveRestore, { timeout: 30_000 }).toBe("true");
  expect(await world.login()).toBe("root");
}
