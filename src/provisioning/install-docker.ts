import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { MachineSession } from "./adopt-ports.ts";
import { APT_SCRIPT } from "./apt-script.ts";
import { type MachineLook, textOf } from "./look-at-machine.ts";

/** Those whose packages we know, as /etc/os-release has them. */
export const DISTRIBUTIONS: readonly string[] = ["debian", "ubuntu"];
const TIMEOUT_MS = 20 * 60_000;

/**
 * The distribution's own packages, for root; `$1` is a user to let in, or empty. May be repeated.
 * A machine without systemd starts its Docker in its own way.
 */
export const INSTALL_DOCKER_SCRIPT = `
set -eu
${APT_SCRIPT}
apt_update
packages='docker.io iptables ca-certificates'
if apt-cache show docker-cli >/dev/null 2>&1; then packages="$packages docker-cli"; fi
apt_install $packages
getent group docker >/dev/null || groupadd --system docker
[ -z "$1" ] || usermod -aG docker "$1"
if [ -d /run/systemd/system ]; then systemctl enable --now docker; fi
`;

/** Why Docker cannot be installed by us, with what to do; undefined when it can. */
export function cannotInstall(
  { distribution, canBeRoot }: MachineLook,
  user: string,
): string | undefined {
  if (!DISTRIBUTIONS.includes(distribution)) {
    return "al installs Docker on Debian and Ubuntu only. Install it: https://docs.docker.com/engine/install/";
  }
  if (canBeRoot) return undefined;
  return `${user} is not root and may not use sudo without a password. As root on the machine: apt-get install docker.io && usermod -aG docker ${user}`;
}

/**
 * Installs the distribution's Docker and lets the user use it: from the user's next login on.
 * @throws AlError `install-failed` (user) with the last lines that were said.
 */
export async function installDocker(
  session: MachineSession,
  { uid, user }: { readonly uid: number; readonly user: string },
  options: CallOptions = {},
): Promise<void> {
  const letIn = uid === 0 ? "" : user;
  const argv = asRoot(uid, ["sh", "-c", INSTALL_DOCKER_SCRIPT, "sh", letIn]);
  const ended = await session.exec(argv, { timeoutMs: TIMEOUT_MS, ...options });
  if (ended.code === 0) return;
  const said = textOf(ended.stderr).trim().split("\n").slice(-5).join("\n");
  throw new AlError(`Docker could not be installed:\n${said}`, {
    code: "install-failed",
    blame: "user",
    hint: "Mend what it says on the machine, and repeat the command: it goes on where it stopped.",
  });
}

/** A command line for root, of a user who is root or may use sudo without a password. */
export function asRoot(uid: number, argv: readonly string[]): readonly string[] {
  return uid === 0 ? argv : ["sudo", "-n", ...argv];
}
