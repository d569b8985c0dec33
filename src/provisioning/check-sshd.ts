import { AlError } from "../base/errors.ts";

/** What counts of what `provision/files` tells sshd, as `sshd -T` prints it. */
export const SSHD_HARDENED = [
  "passwordauthentication no",
  "kbdinteractiveauthentication no",
  "permitrootlogin no",
  "authenticationmethods publickey",
  "hostkey /etc/ssh/ssh_host_ed25519_key",
] as const;

/**
 * Makes certain, from what `sshd -T` prints, that the settings a machine was made with are in effect: a
 * file that sshd reads before ours would count instead of it.
 * @throws AlError `sshd-not-hardened` (user), naming what differs.
 */
export function checkSshd(host: string, effective: string): void {
  const lines = effective.toLowerCase().split("\n");
  const missing = SSHD_HARDENED.filter((line) => !lines.includes(line));
  if (missing.length === 0) return;
  const differs = missing.map((line) => {
    const [name = ""] = line.split(" ");
    const found = lines.filter((one) => one.startsWith(`${name} `));
    return `${found.join(", ") || `no ${name}`}, not ${line}`;
  });
  throw new AlError(`host ${host}: sshd is not as its machine was made: ${differs.join("; ")}`, {
    code: "sshd-not-hardened",
    blame: "user",
    hint: `Its key was not approved. Look in /etc/ssh/sshd_config.d there for a file that is read before 00-action-llama.conf, mend it, and run the same command again; or make another machine: al deprovision ${host}, then al provision ${host}`,
  });
}
