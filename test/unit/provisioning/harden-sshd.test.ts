import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hardenSshd } from "../../../src/provisioning/harden-sshd.ts";
import { SshdMachine } from "./sshd-machine.ts";

const OLD = "passwordauthentication yes\nclientaliveinterval 0\n";
const KEPT = "etc/ssh/sshd_config.d/00-action-llama.conf";
const TRIAL = "etc/ssh/sshd_config.d/00-action-llama-trial.conf";

let machine: SshdMachine;

beforeEach(async () => {
  machine = await SshdMachine.start();
});

afterEach(() => machine.stop());

function harden(trialSeconds = 60): Promise<void> {
  const login = { host: "web-1", address: "203.0.113.7", port: 22, user: "root" };
  return hardenSshd(machine, {
    login,
    fingerprint: "SHA256:x",
    root: machine.root,
    trialSeconds,
  });
}

function expectNothingLeft(): void {
  for (const path of [KEPT, TRIAL, `${TRIAL}.new`, "run/action-llama-sshd"]) {
    expect(machine.has(path), path).toBe(false);
  }
}

test("new settings are in force at the second login, and stay after it", async () => {
  let atSecond = "";
  machine.beforeLogin = async (login) => {
    if (login !== 2) return;
    atSecond = await machine.live();
    expect(machine.has(KEPT)).toBe(false);
  };
  await harden();
  expect(atSecond).toContain("passwordauthentication no");
  expect(atSecond).toContain("clientaliveinterval 5");
  expect(machine.has(KEPT)).toBe(true);
  expect(machine.has(TRIAL)).toBe(false);
  expect(machine.has("run/action-llama-sshd")).toBe(false);
  await expect.poll(() => machine.live()).toContain("passwordauthentication no");
});

test("it may be repeated", async () => {
  await harden();
  await harden();
  await expect.poll(() => machine.live()).toContain("passwordauthentication no");
});

test("what is stricter there stays so", async () => {
  const own = join(machine.root, "etc/ssh/sshd_config.d/50-cloud.conf");
  await writeFile(own, "PermitRootLogin no\nPasswordAuthentication yes\n");
  await harden();
  await expect.poll(() => machine.live()).toContain("passwordauthentication no");
  expect(await machine.live()).toContain("permitrootlogin no");
});

test("root logs in with a key only, where it could with a password", async () => {
  await harden();
  await expect.poll(() => machine.live()).toContain("permitrootlogin prohibit-password");
});

test("where no second login is possible, the old settings are back", async () => {
  machine.failsFrom = 2;
  await expect(harden()).rejects.toMatchObject({
    code: "harden-unconfirmed",
    message: expect.stringContaining("Permission denied (publickey)"),
  });
  await expect.poll(() => machine.live()).toBe(OLD);
  expectNothingLeft();
});

test("a machine that hears nothing more takes its old settings back by itself", async () => {
  let cut = (_reason: Error) => {};
  machine.beforeLogin = (login) =>
    login === 1 ? Promise.resolve() : new Promise((_done, fail) => (cut = fail));
  const hardened = harden(1).catch((thrown: unknown) => thrown);
  await expect.poll(() => machine.live()).toContain("passwordauthentication no");
  await expect.poll(() => machine.live(), { timeout: 10_000 }).toBe(OLD);
  await expect.poll(() => machine.has("run/action-llama-sshd")).toBe(false);
  expectNothingLeft();
  cut(new Error("the network is gone"));
  expect(await hardened).toMatchObject({ code: "harden-unconfirmed" });
});

test("a word that comes too late changes nothing", async () => {
  machine.beforeLogin = async (login) => {
    if (login === 1) return;
    const onTrial = () => machine.has("run/action-llama-sshd");
    await expect.poll(onTrial, { timeout: 10_000 }).toBe(false);
  };
  await expect(harden(1)).rejects.toMatchObject({
    code: "harden-unconfirmed",
    message: expect.stringContaining("the trial is over"),
  });
  expectNothingLeft();
  expect(await machine.live()).toBe(OLD);
});

test.each([
  ["broken", "line 1: Bad configuration option"],
  ["deaf", "PasswordAuthentication no has no effect"],
])("settings that sshd does not take (%s) are taken back at once", async (flaw, said) => {
  await writeFile(join(machine.root, flaw), "");
  await expect(harden()).rejects.toMatchObject({
    code: "sshd-refused",
    message: expect.stringContaining(said),
  });
  expectNothingLeft();
});

test("one trial at a time, and one that was cut off long ago is none", async () => {
  await mkdir(join(machine.root, "run/action-llama-sshd"));
  await expect(harden()).rejects.toMatchObject({ code: "harden-busy", blame: "transient" });
  expect(machine.has(TRIAL)).toBe(false);
  const anHourAgo = Date.now() / 1000 - 3600;
  await utimes(join(machine.root, "run/action-llama-sshd"), anHourAgo, anHourAgo);
  await harden();
});
