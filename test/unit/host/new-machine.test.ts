import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OWN_HOST_KEY, TAKE_HOST_KEY } from "../../../src/host/new-machine-scripts.ts";
import { generateSshKeyPair } from "../../../src/provisioning/ssh-key-pair.ts";

let directory: string;
let first: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "al-ssh-"));
  const pair = generateSshKeyPair();
  first = pair.publicKey;
  writeFileSync(at(""), pair.privateKey.reveal(), { mode: 0o600 });
  writeFileSync(at(".pub"), `${first} root@web-1\n`);
});
afterEach(() => rmSync(directory, { recursive: true }));

const at = (end: string) => join(directory, `ssh_host_ed25519_key${end}`);

const sh = (script: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script, "sh", ...args]);
  return { status, stdout: `${stdout}`.trim(), stderr: `${stderr}`.trim() };
};
const own = () => sh(OWN_HOST_KEY, directory, first).stdout;

/** The public half of the key that sshd would read. */
const inUse = () => {
  const { stdout } = spawnSync("ssh-keygen", ["-y", "-f", at("")]);
  return `${stdout}`.trim().split(" ", 2).join(" ");
};

/** Takes a key, with a process in sshd's place; what it was sent. */
async function take(key: string) {
  const sshd = spawn("sh", ["-c", "trap 'exit 42' HUP; echo up; while :; do sleep 0.05; done"]);
  await once(sshd.stdout, "data");
  const pidFile = join(directory, "sshd.pid");
  writeFileSync(pidFile, `${sshd.pid}\n`);
  const result = sh(TAKE_HOST_KEY, directory, key, pidFile);
  if (result.status !== 0) sshd.kill("SIGKILL");
  const [code] = await once(sshd, "exit");
  return { ...result, hungUp: code === 42 };
}

test("a machine makes one key, however often it is asked, and takes it", async () => {
  const key = own();
  expect(key).toMatch(/^ssh-ed25519 [A-Za-z0-9+/=]+$/);
  expect(key).not.toBe(first);
  expect(own()).toBe(key);
  expect(inUse()).toBe(first);
  expect(await take(key)).toMatchObject({ status: 0, hungUp: true });
  expect(inUse()).toBe(key);
  expect(readFileSync(at(".pub"), "utf8").trim()).toBe(key);
  expect(existsSync(at(".al-next"))).toBe(false);
  expect(own()).toBe(key);
  expect(await take(key)).toMatchObject({ status: 0, hungUp: true });
  expect(inUse()).toBe(key);
});

test("a key that was cut off while it was made is made anew", () => {
  writeFileSync(at(".al-next"), "half of a key");
  const key = own();
  expect(key).toMatch(/^ssh-ed25519 /);
  expect(`${spawnSync("ssh-keygen", ["-y", "-f", at(".al-next")]).stdout}`).toContain(key);
});

test("a key that was cut off between its two halves is the same, and is taken", async () => {
  const key = own();
  renameSync(at(".al-next"), at(""));
  expect(own()).toBe(key);
  expect(await take(key)).toMatchObject({ status: 0, hungUp: true });
  expect(inUse()).toBe(key);
  expect(readFileSync(at(".pub"), "utf8").trim()).toBe(key);
});

test("another key than the one that was made is not taken", async () => {
  own();
  const other = generateSshKeyPair().publicKey;
  expect(await take(other)).toEqual({
    ...{ status: 1, stdout: "", hungUp: false },
    stderr: "the key to take is not there",
  });
  expect(inUse()).toBe(first);
});
