import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { MachineSession } from "../../../src/provisioning/adopt-ports.ts";
import { mergedDaemonJson } from "../../../src/provisioning/daemon-json.ts";
import { hardenMachine } from "../../../src/provisioning/harden-machine.ts";
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
  expect(JSON.parse(mergedDaemonJson(text, OURS) ?? "")).toEqual(merged);
  expect(mergedDaemonJson(JSON.stringify(merged), OURS)).toBeUndefined();
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
  // Where this machine has a systemd of its own, it is left alone.
  await program("systemctl", "exit 0");
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(root, "bin", name), `#!/bin/sh\n${script}\n`);
  await chmod(join(root, "bin", name), 0o755);
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

/** Hardens; a process that lives for a moment stands for dockerd and takes its signal. */
async function harden(daemon: Readonly<Record<string, unknown>> = OURS) {
  const dockerd = execFile("sh", ["-c", "trap 'exit 7' HUP; while :; do sleep 0.02; done"]);
  const dockerPid = join(root, "docker.pid");
  await writeFile(dockerPid, `${dockerd.pid}\n`);
  const places = { daemonJson: join(root, "etc/docker/daemon.json"), dockerPid };
  const files = [{ path: join(root, "etc/apt/60ours"), content: "ours\n" }];
  const settings = { packages: ["fail2ban"], files, daemon };
  try {
    return await hardenMachine(session(), settings, { uid: 0, places });
  } finally {
    dockerd.kill("SIGKILL");
  }
}

test("files, packages and Docker's settings are put there, and nothing twice", async () => {
  const paths = [join(root, "etc/apt/60ours"), join(root, "etc/docker/daemon.json")];
  expect(await harden()).toEqual(paths);
  expect(await readFile(join(root, "apt"), "utf8")).toContain("install -y");
  expect(JSON.parse(await readFile(paths[1] ?? "", "utf8"))).toEqual(OURS);
  expect(await harden()).toEqual([]);
});

test("settings that dockerd refuses are not put in place", async () => {
  await expect(harden({ "refuse-me": true })).rejects.toMatchObject({
    code: "harden-failed",
    message: expect.stringContaining("bad option"),
  });
  await expect(readFile(join(root, "etc/docker/daemon.json"))).rejects.toThrow("ENOENT");
});

test("packages that cannot be installed end it, with what apt said", async () => {
  await writeFile(join(root, "no-apt"), "");
  await expect(harden()).rejects.toMatchObject({ code: "harden-failed" });
  await expect(readFile(join(root, "etc/apt/60ours"))).rejects.toThrow("ENOENT");
});
