import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PACKAGES_SCRIPT } from "../../../src/provisioning/harden-scripts.ts";
import { INSTALL_DOCKER_SCRIPT } from "../../../src/provisioning/install-docker.ts";
import { environment } from "../../lab/environment.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "al-apt-"));
  for (const name of ["apt-cache", "getent", "usermod", "systemctl"]) program(name, "exit 0");
  program("sleep", "echo slept >> said");
});
afterEach(() => rmSync(directory, { recursive: true }));

function program(name: string, script: string): void {
  writeFileSync(join(directory, name), `#!/bin/sh\ncd '${directory}'\n${script}\n`);
  chmodSync(join(directory, name), 0o755);
}

/** apt, whose lists are somebody else's for so many calls. */
function locked(calls: number): void {
  writeFileSync(join(directory, "locks"), "x".repeat(calls));
  program(
    "apt-get",
    `echo "$*" >> said
case "$*" in *update*) ;; *) exit 0 ;; esac
left=$(cat locks)
[ -n "$left" ] || exit 0
printf %s "\${left#x}" > locks
echo 'E: Could not get lock /var/lib/apt/lists/lock' >&2
exit 100`,
  );
}

function run(script: string, name: string) {
  const env = { PATH: `${directory}:${environment.PATH ?? ""}` };
  const { status, stderr } = spawnSync("sh", ["-c", script, "sh", name], { env });
  const said = readFileSync(join(directory, "said"), "utf8").trim().split("\n");
  return { status, stderr: `${stderr}`, said };
}

const SCRIPTS = [
  ["Docker", INSTALL_DOCKER_SCRIPT, "docker.io"],
  ["packages", PACKAGES_SCRIPT, "fail2ban"],
] as const;

test.each(SCRIPTS)("%s: whoever else uses apt is waited for", (_what, script, name) => {
  locked(2);
  const { status, said } = run(script, "fail2ban");
  expect(status).toBe(0);
  expect(said.slice(0, -1)).toEqual(["-q update", "slept", "-q update", "slept", "-q update"]);
  expect(said.at(-1)).toMatch(/-o DPkg::Lock::Timeout=300 install -y /);
  expect(said.at(-1)).toContain(name);
});

test.each(SCRIPTS)(
  "%s: a lock that is never given up ends it, and nothing is installed",
  (...row) => {
    locked(1_000);
    const { status, stderr, said } = run(row[1], "fail2ban");
    expect(status).not.toBe(0);
    expect(stderr).toContain("Could not get lock");
    expect(said.filter((one) => one === "slept").length).toBeGreaterThan(5);
    expect(said.join("\n")).not.toContain("install");
  },
);
