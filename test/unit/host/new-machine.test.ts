import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  FIND_HOST_KEY,
  OWN_HOST_KEY,
  SSHD_SETTINGS,
  TAKE_HOST_KEY,
} from "../../../src/host/new-machine-scripts.ts";
import { generateSshKeyPair } from "../../../src/provisioning/ssh-key-pair.ts";
import { fingerprintOfText } from "../../../src/transport/host-key.ts";
import { environment } from "../../lab/environment.ts";

let directory: string;
let first: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "al-ssh-"));
  const pair = generateSshKeyPair();
  first = pair.publicKey;
  writeFileSync(at(""), pair.privateKey.reveal(), { mode: 0o600 });
  writeFileSync(at(".pub"), `${first} root@web-1\n`);
  const settings = `hostkey ${at("")}\nhostkey ${directory}/other\npidfile ${directory}/sshd.pid`;
  sshd(`[ "$1" != -T ] || echo '${settings}'`);
});
afterEach(() => rmSync(directory, { recursive: true }));

const at = (end: string) => join(directory, `ssh_host_ed25519_key${end}`);

/** A program in sshd's place, which is asked for its settings and whether they are sound. */
function sshd(script: string): void {
  const path = join(directory, "sshd");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

const sh = (script: string, ...args: string[]) => {
  const env = { PATH: `${directory}:${environment.PATH ?? ""}` };
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script, "sh", ...args], { env });
  return { status, stdout: `${stdout}`.trim(), stderr: `${stderr}`.trim() };
};
const own = (replaced = first) => sh(OWN_HOST_KEY, at(""), replaced).stdout;

/** The public half of the key that sshd would read. */
const inUse = () => {
  const { stdout } = spawnSync("ssh-keygen", ["-y", "-f", at("")]);
  return `${stdout}`.trim().split(" ", 2).join(" ");
};

/** Takes a key, with a process in sshd's place; what it was sent. */
async function take(key: string, name = "sshd") {
  const program = join(directory, "running", name);
  mkdirSync(dirname(program), { recursive: true });
  if (!existsSync(program)) symlinkSync("/bin/sh", program);
  const running = spawn(program, [
    "-c",
    "trap 'exit 42' HUP; echo up; while :; do sleep 0.05; done",
  ]);
  await once(running.stdout, "data");
  const pidFile = join(directory, "sshd.pid");
  writeFileSync(pidFile, `${running.pid}\n`);
  const result = sh(TAKE_HOST_KEY, at(""), key, pidFile);
  if (result.status !== 0) running.kill("SIGKILL");
  const [code] = await once(running, "exit");
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

test("an sshd that would not start again is not told to read its keys, and keeps the one it has", async () => {
  const key = own();
  sshd("echo 'line 3: Bad configuration option' >&2; exit 255");
  expect(await take(key)).toMatchObject({
    ...{ status: 255, hungUp: false },
    stderr: expect.stringContaining("Bad configuration option"),
  });
  expect(inUse()).toBe(first);
});

test("where no sshd can be told of a key none is taken, and the key is taken once one can", async () => {
  const key = own();
  const refused = {
    status: 1,
    stderr: expect.stringMatching(
      /^no sshd has its process id in .*sshd\.pid.*nothing was changed$/,
    ),
  };
  expect(sh(TAKE_HOST_KEY, at(""), key, join(directory, "sshd.pid"))).toMatchObject(refused);
  // What an sshd that ended left behind: its number may be anybody's by now.
  expect(await take(key, "sshd-session")).toMatchObject({ ...refused, hungUp: false });
  expect(inUse()).toBe(first);
  expect(await take(key)).toMatchObject({ status: 0, hungUp: true });
  expect(inUse()).toBe(key);
});

test("the settings of sshd are told as they are, or why not", () => {
  expect(sh(SSHD_SETTINGS).stdout).toContain(`pidfile ${directory}/sshd.pid`);
  sshd("echo 'line 3: Bad configuration option' >&2; exit 255");
  expect(sh(SSHD_SETTINGS)).toMatchObject({ status: 255, stdout: "" });
});

test.each([
  ["ecdsa", "521", "ecdsa-sha2-nistp521"],
  ["rsa", "2048", "ssh-rsa"],
])("a key of type %s is replaced by one of its type", async (type, bits, name) => {
  rmSync(at(""));
  rmSync(at(".pub"));
  spawnSync("ssh-keygen", ["-q", "-t", type, "-b", bits, "-N", "", "-f", at("")]);
  const replaced = inUse();
  const key = own(replaced);
  expect(key).toMatch(new RegExp(`^${name} `));
  expect(key).not.toBe(replaced);
  expect(await take(key)).toMatchObject({ status: 0 });
  expect(inUse()).toBe(key);
});

test("the file of a host key is found by its fingerprint, and by that of its next key", () => {
  const found = { status: 0, stdout: `${at("")}\n${directory}/sshd.pid` };
  expect(sh(FIND_HOST_KEY, fingerprintOfText(first))).toMatchObject(found);
  const next = fingerprintOfText(own());
  expect(sh(FIND_HOST_KEY, "SHA256:old", next)).toMatchObject(found);
  renameSync(at(".al-next"), at(""));
  expect(sh(FIND_HOST_KEY, fingerprintOfText(first), next)).toMatchObject(found);
  expect(sh(FIND_HOST_KEY, fingerprintOfText(first))).toMatchObject({
    status: 1,
    stderr: "no host key in the settings of sshd is the approved one",
  });
});
