import type { CallOptions } from "../base/deadline.ts";
import type { MachineSession } from "./adopt-ports.ts";
import {
  BEGIN_SCRIPT,
  DAEMON_SCRIPT,
  END_SCRIPT,
  FILE_SCRIPT,
  PACKAGES_SCRIPT,
} from "./harden-scripts.ts";
import { asRoot } from "./install-docker.ts";
import { textOf } from "./look-at-machine.ts";
import {
  HARDENING_PLACES,
  type HardeningPlaces,
  type HardeningPlan,
  hardenFailed,
} from "./plan-hardening.ts";

const INSTALL_MS = 20 * 60_000;

/**
 * Gives a machine what keeps it safe by itself, as planned, but for sshd's settings: upgrades, bans, limits
 * of logs, live-restore. Nothing of it can lock anybody out. May be repeated with a plan made anew.
 * @throws AlError `harden-failed` (user) with what the machine said.
 */
export async function hardenMachine(
  session: MachineSession,
  { packages, files, daemon, isBegun }: Omit<HardeningPlan, "sshd">,
  options: CallOptions & { readonly uid: number; readonly places?: HardeningPlaces },
): Promise<void> {
  const { uid, places = HARDENING_PLACES, ...call } = options;
  const { daemonJson, dockerPid, mark } = places;
  const run = async (failure: string, script: string, args: readonly string[], stdin?: string) => {
    const argv = asRoot(uid, ["sh", "-c", script, "sh", ...args]);
    const ended = await session.exec(argv, { timeoutMs: INSTALL_MS, ...call, stdin });
    if (ended.code !== 0) throw hardenFailed(failure, textOf(ended.stderr));
  };
  if (packages.length + files.length === 0 && daemon === undefined && !isBegun) return;
  await run(`${mark} could not be written`, BEGIN_SCRIPT, [mark]);
  if (packages.length > 0) {
    await run("packages could not be installed", PACKAGES_SCRIPT, packages);
  }
  for (const { path, content } of files) {
    await run(`${path} could not be written`, FILE_SCRIPT, [path], content);
  }
  if (daemon) {
    await run("Docker does not take its settings", DAEMON_SCRIPT, [daemonJson], daemon.text);
  }
  await run("services did not start", END_SCRIPT, [dockerPid, mark]);
}
