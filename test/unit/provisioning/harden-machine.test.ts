import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { MachineSession } from "../../../src/provisioning/adopt-ports.ts";
import { mergedDaemonJson } from "../../../src/provisioning/daemon-json.ts";
import { hardenMachine } from "../../../src/provisioning/harden-machine.ts";
import {
  type HardeningPlaces,
  isHardened,
  type MachineSettings,
  planHardening,
} from "../../../src/provisioning/plan-hardening.ts";
import { sshdSettings } from "../../../src/provisioning/sshd-trial.ts";
import { environment } from "../../lab/environment.ts";
import { USABLE } from "./simulated-machine.ts";

const OURS = {
  "live-restore": true,
  "log-driver": "json-file",
  "log-opts": { "max-size": "10m" },
};

test.each([
  ["", OURS],
  ["{}", OURS],
  ['{"dns": ["9.9.9.9"]}', { dns: ["9.9.9.9"], ...OURS }],
  ['{"live-restore": false}', OURS],
  ['{"log-driver": "journald"}', { "log-driver": "journald", "live-restore": true }],
])("daemon.json %j gets what it lacks, and keeps what it says", (text, merged) => {
  expect(JSON.parse(mergedDaemonJson(text, OURS)?.text ?? "")).toEqual(merged);
  expect(mergedDaemonJson(JSON.stringify(merged), OURS)).toBeUndefined();
});

test("what dockerd is started with stays out of daemon.json: it would not start with both", () => {
  const argv = ["/usr/sbin/dockerd", "--log-driver=local", "--log-level", "warn"];
  expect(mergedDaemonJson("", OURS, argv)?.adds).toEqual(["live-restore"]);
  expect(mergedDaemonJson("", OURS, ["dockerd", "--log-level=warn"])?.adds).toHaveLength(3);
  expect(mergedDaemonJson("", OURS, [...argv, "--live-restore"])).toBeUndefined();
});

test.each(["{", "[]", "3"])("a daemon.json that is none (%s) is not replaced", (text) => {
  expect(() => mergedDaemonJson(text, OURS)).toThrow(
    expect.objectContaining({ code: "daemon-json-invalid", blame: "user" }),
  );
});

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "al-harden-"));
  await mkdir(join(root, "bin"));
  await program("apt-get", 'echo "$@" >> "$AL_TEST_ROOT/apt"; ! [ -e "$AL_TEST_ROOT/no-apt" ]');
  const refuses = 'grep -q refuse-me "$3" && { echo "bad option" >&2; exit 1; }';
  await program("dockerd", `case $1 in --help) echo " --validate";; *) ${refuses}; exit 0;; esac`);
  await program("dpkg-query", 'grep -q "$4" "$AL_TEST_ROOT/apt" && echo installed');
  await program("sshd", 'cat "$AL_TEST_ROOT/sshd-settings"');
  await writeFile(join(root, "sshd-settings"), "passwordauthentication yes\nx11forwarding no\n");
  // Where this machine has a systemd of its own, it is left alone.
  await program("systemctl", "exit 0");
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(root, "bin", name), `#!/bin/sh\n${script}\n`);
  await chmod(join(root, "bin", name), 0o755);
}

/** The same, cut off at the first command that names this. */
function sessionUntil(word: string, cut: () => Promise<never>): MachineSession {
  const whole = session();
  const exec: MachineSession["exec"] = (argv, options) =>
    argv.slice(3).some((one) => one.endsWith(word)) ? cut() : whole.exec(argv, options);
  return { ...whole, exec };
}

/** Runs commands on this machine, where the programs they call are ours. */
function session(): MachineSession {
  const env = { PATH: `${join(root, "bin")}:${environment.PATH ?? ""}`, AL_TEST_ROOT: root };
  return {
    exec: ([file = "", ...args], options) =>
      new Promise((resolve) => {
        const child = execFile(file, args, { env }, (error, stdout, stderr) => {
          const code = error ? Number(error.code ?? 1) : 0;
          resolve({ code, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) });
        });
        child.stdin?.on("error", () => {});
        child.stdin?.end(options?.stdin);
      }),
    engine: async () => USABLE,
    close: async () => {},
  };
}

const LOOK = { uid: 0, canBeRoot: true, distribution: "debian" };

interface Dockerd {
  readonly places: HardeningPlaces;
  /** Whether it was told to read its settings. */
  hungUp(): Promise<boolean>;
}

/** Does something while a process stands for dockerd and takes its signal. */
async function withDockerd<T>(work: (dockerd: Dockerd) => Promise<T>): Promise<T> {
  const dockerd = execFile("sh", [
    "-c",
    "trap 'exit 7' HUP; echo up; while :; do sleep 0.02; done",
  ]);
  const ended = once(dockerd, "exit");
  await once(dockerd.stdout ?? dockerd, "data");
  const dockerPid = join(root, "docker.pid");
  await writeFile(dockerPid, `${dockerd.pid}\n`);
  const [daemonJson, mark] = [join(root, "etc/docker/daemon.json"), join(root, "begun")];
  try {
    return await work({
      places: { daemonJson, dockerPid, mark },
      hungUp: async () => (await ended)[0] === 7,
    });
  } finally {
    dockerd.kill("SIGKILL");
  }
}

const settings = (daemon: Readonly<Record<string, unknown>> = OURS): MachineSettings => ({
  packages: ["fail2ban"],
  files: [{ path: join(root, "etc/apt/60ours"), content: "ours\n" }],
  daemon,
});

const plan = ({ places }: Dockerd, wanted = settings(), look = LOOK) =>
  planHardening(session(), wanted, { login, look, places });
const harden = async (dockerd: Dockerd, wanted = settings()) =>
  hardenMachine(session(), await plan(dockerd, wanted), { uid: 0, places: dockerd.places });

const login = { host: "web-1", address: "203.0.113.7", port: 22, user: "root" };

test("what a machine lacks is planned, done, and then no longer planned", async () => {
  await mkdir(join(root, "etc/docker"), { recursive: true });
  await writeFile(join(root, "etc/docker/daemon.json"), '{"dns":\n["9.9.9.9"]}');
  await withDockerd(async (dockerd) => {
    const { files } = settings();
    expect(await plan(dockerd)).toMatchObject({
      ...{ packages: ["fail2ban"], files, isBegun: false },
      daemon: { adds: ["live-restore", "log-driver", "log-opts"] },
      sshd: expect.arrayContaining(["PasswordAuthentication no"]),
    });
    expect((await plan(dockerd)).sshd).not.toContain("X11Forwarding no");
    await harden(dockerd);
    expect(await dockerd.hungUp()).toBe(true);
    expect(await readFile(join(root, "apt"), "utf8")).toContain("install -y");
    expect(JSON.parse(await readFile(dockerd.places.daemonJson, "utf8"))).toEqual({
      dns: ["9.9.9.9"],
      ...OURS,
    });
  });
  const all = sshdSettings("").toLowerCase().replace("prohibit-password", "without-password");
  await writeFile(join(root, "sshd-settings"), all);
  await withDockerd(async (dockerd) => expect(isHardened(await plan(dockerd))).toBe(true));
});

test("services that were not told of what was written are told by the next hardening", async () => {
  await withDockerd(async (dockerd) => {
    const cut = async () => {
      throw new Error("cut off");
    };
    const cutOff = sessionUntil("docker.pid", cut);
    await expect(
      hardenMachine(cutOff, await plan(dockerd), { uid: 0, places: dockerd.places }),
    ).rejects.toThrow("cut off");
  });
  await withDockerd(async (dockerd) => {
    const found = await plan(dockerd);
    expect(found).toMatchObject({ packages: [], files: [], daemon: undefined, isBegun: true });
    await hardenMachine(session(), found, { uid: 0, places: dockerd.places });
    expect(await dockerd.hungUp()).toBe(true);
    expect((await plan(dockerd)).isBegun).toBe(false);
  });
});

test("settings that dockerd refuses are not put in place", async () => {
  await withDockerd(async (dockerd) => {
    await expect(harden(dockerd, settings({ "refuse-me": true }))).rejects.toMatchObject({
      code: "harden-failed",
      message: expect.stringContaining("bad option"),
    });
  });
  await expect(readFile(join(root, "etc/docker/daemon.json"))).rejects.toThrow("ENOENT");
});

test("packages that cannot be installed end it, with what apt said", async () => {
  await writeFile(join(root, "no-apt"), "");
  await program("sleep", "exit 0");
  await withDockerd(async (dockerd) => {
    await expect(harden(dockerd)).rejects.toMatchObject({ code: "harden-failed" });
  });
  await expect(readFile(join(root, "etc/apt/60ours"))).rejects.toThrow("ENOENT");
});

test.each([
  [{ ...LOOK, distribution: "fedora" }, "harden-unsupported"],
  [{ ...LOOK, uid: 1001, canBeRoot: false }, "root-needed"],
])("a machine that cannot be hardened is not looked into: %o", async (look, code) => {
  await withDockerd(async (dockerd) => {
    await expect(plan(dockerd, settings(), look)).rejects.toMatchObject({ code, blame: "user" });
  });
});
