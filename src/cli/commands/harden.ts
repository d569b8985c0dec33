import { type ProvisionAssets, readProvisionAssets } from "../../cloud/provision-assets.ts";
import type { AdoptedMachine } from "../../provisioning/adopt.ts";
import type { Login } from "../../provisioning/adopt-ports.ts";
import { hardenMachine } from "../../provisioning/harden-machine.ts";
import { hardenSshd } from "../../provisioning/harden-sshd.ts";
import {
  type HardeningPlan,
  isHardened,
  type MachineSettings,
  planHardening,
} from "../../provisioning/plan-hardening.ts";
import { askYes } from "../ask.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { openMachines } from "../machines.ts";
import { PACKAGE_ROOT } from "../package-root.ts";
import { hardeningLines } from "../render/hardening.ts";

/** An adopted machine that is to be hardened. */
export interface ToHarden {
  readonly login: Login;
  readonly machine: AdoptedMachine;
  /** Do it without asking. */
  readonly yes: boolean;
}

/**
 * `--harden`: says what would change on an adopted machine, asks, and does it: first what cannot lock
 * anybody out, then sshd's settings on trial. May be repeated; on a hardened machine it does nothing.
 */
export async function harden(
  { home, output, interactive, signal }: CliContext,
  { login, machine, yes }: ToHarden,
): Promise<number> {
  const { fingerprint, look } = machine;
  const { host } = login;
  const machines = openMachines(home);
  const session = await machines.connect(login, { fingerprint, signal });
  try {
    const settings = settingsFrom(await readProvisionAssets(PACKAGE_ROOT));
    const plan = await planHardening(session, settings, { login, look, signal });
    output.record(recordOf(host, plan));
    for (const line of hardeningLines(host, plan)) output.line(line);
    if (isHardened(plan)) return EXIT.done;
    if (!yes && !interactive) {
      output.line("to do this, repeat it with --yes");
      return EXIT.changes;
    }
    if (!yes && !(await askYes(`change this on ${host}?`))) return EXIT.error;
    output.progress(`${host}: hardening it`);
    await hardenMachine(session, plan, { uid: look.uid, signal });
    if (plan.sshd.length > 0) {
      output.progress(`${host}: trying sshd's new settings with a second login`);
      await hardenSshd(machines, { login, fingerprint }, { signal });
    }
  } finally {
    await session.close();
  }
  output.record({ kind: "hardened", host });
  output.line(`${host}: hardened`);
  return EXIT.done;
}

/** Of the packages of a new machine those that are not Docker's, which is left as it is. */
const PACKAGES = ["fail2ban", "python3-systemd", "unattended-upgrades"];
const DAEMON_JSON = "/etc/docker/daemon.json";

/** What a new machine is made with, but for what is tried out, merged, or of a first boot. */
export function settingsFrom({ files }: Pick<ProvisionAssets, "files">): MachineSettings {
  const daemon = files.find(({ path }) => path === DAEMON_JSON)?.content ?? "{}";
  return {
    packages: PACKAGES,
    files: files.filter(
      ({ path }) =>
        path.startsWith("/etc/") && !path.startsWith("/etc/ssh/") && path !== DAEMON_JSON,
    ),
    daemon: JSON.parse(daemon) as Record<string, unknown>,
  };
}

function recordOf(host: string, { packages, files, daemon, sshd, isBegun }: HardeningPlan) {
  const changes = {
    packages,
    files: files.map(({ path }) => path),
    docker: daemon?.adds ?? [],
    sshd,
  };
  return { kind: "harden-plan", host, ...changes, begun: isBegun };
}
