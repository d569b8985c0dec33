import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { getuid, platform } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { AlError } from "../../src/base/errors.ts";
import { type SetupOptions, withLock } from "./cache.ts";
import { mustRun, runCommand } from "./command.ts";
import { environment } from "./environment.ts";

/** Where Debian's packages come from; `AL_LAB_MIRROR` names another mirror. */
export const debianMirror = environment.AL_LAB_MIRROR ?? "http://deb.debian.org/debian";

/** True where packages can be installed: root on Debian or a descendant of it. */
export async function isRootOnDebian(): Promise<boolean> {
  if (platform !== "linux" || getuid?.() !== 0) return false;
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^ID(_LIKE)?=.*debian/m.test(release);
}

/** The path of a program, sbin directories included, or undefined. */
export async function findProgram(name: string): Promise<string | undefined> {
  const directories = `${environment.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`.split(":");
  for (const directory of directories) {
    if (directory === "") continue;
    const path = join(directory, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/**
 * Installs the Debian packages of programs that this machine lacks; repeating it does nothing.
 * @param programs program to package: `{ dockerd: "docker.io" }`.
 * @throws AlError `lab-missing-program` naming what is missing where nothing may be installed.
 */
export async function ensurePrograms(
  programs: Readonly<Record<string, string>>,
  options: SetupOptions,
): Promise<void> {
  if ((await missingFrom(programs)).length === 0) return;
  await withLock("apt", options, async () => {
    const missing = await missingFrom(programs);
    if (missing.length === 0) return;
    if (!(await isRootOnDebian())) throw missingError(missing);
    options.log(`installing ${missing.join(", ")} with apt-get`);
    await install(missing);
  });
}

async function install(packages: readonly string[]): Promise<void> {
  const quiet = { env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" } };
  const apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"] as const;
  await mustRun(["dpkg", "--configure", "-a"], quiet);
  for (const left of [20, 10, 5, 0]) {
    const { code, stderr } = await runCommand([...apt, "update"], quiet);
    if (code === 0 || left === 0 || !/get lock/.test(stderr)) break;
    await delay(left * 1_000);
  }
  await mustRun([...apt, "install", "-y", "--no-install-recommends", ...packages], quiet);
}

async function missingFrom(programs: Readonly<Record<string, string>>): Promise<string[]> {
  const missing = new Set<string>();
  for (const [program, name] of Object.entries(programs)) {
    if ((await findProgram(program)) === undefined) missing.add(name);
  }
  return [...missing].sort();
}

function missingError(missing: readonly string[]): AlError {
  return new AlError(`the lab needs ${missing.join(", ")}, which this machine does not have`, {
    code: "lab-missing-program",
    blame: "user",
    hint: "Install them, start Docker, or run as root on Debian, where the lab installs them itself.",
  });
}
