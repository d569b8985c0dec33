import { spawn } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AlError } from "../../src/base/errors.ts";
import { cacheDirectory, type SetupOptions, withLock } from "./cache.ts";
import { tail } from "./command.ts";
import { ensurePrograms, findProgram, isRootOnDebian } from "./debian.ts";
import { endProcesses, killCgroup, processesNaming, unmountBelow } from "./leftovers.ts";

/** Where the lab's own dockerd listens. */
export function ownSocketPath(): string {
  return join(cacheDirectory("engine"), "docker.sock");
}

/**
 * Installs Docker where it is missing and starts the lab's own dockerd, once for all processes.
 * Leftovers of a dead or hung one are removed first; images in its data-root stay.
 * @param find looks for an engine that answers; asked again under the lock and after installing.
 * @throws AlError `lab-no-engine` with what is missing or the end of dockerd's log.
 */
export async function startOwnEngine<E>(
  options: SetupOptions,
  find: () => Promise<E | undefined>,
): Promise<E> {
  return withLock("engine", options, async () => {
    const found = await find();
    if (found) return found;
    await refuseWithoutMeans();
    await ensurePrograms({ dockerd: "docker.io", iptables: "iptables" }, options);
    const installed = await find();
    if (installed) return installed;
    await clearLeftovers(options);
    return start(options, find);
  });
}

async function refuseWithoutMeans(): Promise<void> {
  if ((await findProgram("dockerd")) && (await isRootOnDebian())) return;
  if (await isRootOnDebian()) return;
  throw new AlError(
    "no Docker engine answers on this machine, and installing one needs root on Debian",
    { code: "lab-no-engine", blame: "user", hint: "Start Docker, or run this as root on Debian." },
  );
}

/** Socket addresses below it are long, so it is not below the cache directory. */
const execRoot = "/run/action-llama-lab";

/** All containers of this engine live below it, so that none outlives a dead engine. */
const cgroupParent = "/action-llama-lab";

async function clearLeftovers({ log }: SetupOptions): Promise<void> {
  const stale = [
    ...(await processesNaming("dockerd", ownSocketPath())),
    ...(await processesNaming("containerd", execRoot)),
  ];
  if (stale.length > 0) log(`ending what is left of a dockerd that does not answer: ${stale}`);
  await endProcesses(stale);
  await killCgroup(cgroupParent);
  await unmountBelow(execRoot);
  await unmountBelow(join(cacheDirectory("engine"), "data"));
  await rm(execRoot, { recursive: true, force: true });
  await rm(join(cacheDirectory("engine"), "docker.pid"), { force: true });
  await rm(ownSocketPath(), { force: true });
}

async function start<E>({ log }: SetupOptions, find: () => Promise<E | undefined>): Promise<E> {
  const logPath = join(cacheDirectory("engine"), "dockerd.log");
  log(`starting the lab's own dockerd, log in ${logPath}`);
  mkdirSync(execRoot, { recursive: true, mode: 0o711 });
  const output = openSync(logPath, "w");
  const child = spawn((await findProgram("dockerd")) ?? "dockerd", flags(), {
    detached: true,
    stdio: ["ignore", output, output],
    cwd: "/",
  });
  child.unref();
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const engine = await find();
    if (engine) return engine;
    if (child.exitCode !== null || child.signalCode !== null) break;
    await delay(100);
  }
  const said = tail(await readFile(logPath, "utf8"));
  throw new AlError(`the lab's dockerd does not start on this machine. It said:\n${said}`, {
    code: "lab-no-engine",
    blame: "user",
    hint: "It needs CAP_SYS_ADMIN and CAP_NET_ADMIN, mounted cgroups, iptables and overlayfs.",
  });
}

/** Addresses are away from Docker's defaults, which the hosts inside use. */
function flags(): string[] {
  const directory = cacheDirectory("engine");
  return [
    `--data-root=${join(directory, "data")}`,
    `--exec-root=${execRoot}`,
    `--pidfile=${join(directory, "docker.pid")}`,
    `--host=unix://${ownSocketPath()}`,
    `--group=root`,
    `--cgroup-parent=${cgroupParent}`,
    "--bip=10.211.0.1/24",
    "--default-address-pool=base=10.211.128.0/17,size=24",
  ];
}
