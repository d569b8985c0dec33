import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandResult, runCommand } from "./command.ts";
import type { LabHost } from "./lab-host.ts";

/**
 * Runs a shell command on a host with the OpenSSH client: a second opinion, apart from our ssh.
 * The host's key is pinned, and nothing of the machine's own ssh configuration is read.
 */
export async function openssh(
  host: Pick<LabHost, "address" | "port" | "user" | "privateKey" | "hostPublicKey">,
  command: string,
): Promise<CommandResult> {
  const directory = await mkdtemp(join(tmpdir(), "al-lab-ssh-"));
  try {
    const [key, known] = [join(directory, "key"), join(directory, "known_hosts")];
    await writeFile(key, host.privateKey, { mode: 0o600 });
    await writeFile(
      known,
      `[${host.address}]:${host.port},${host.address} ${host.hostPublicKey}\n`,
    );
    return await runCommand([
      "ssh",
      ...["-F", "/dev/null", "-i", key, "-p", String(host.port)],
      ...["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "IdentityAgent=none"],
      ...["-o", "StrictHostKeyChecking=yes", "-o", `UserKnownHostsFile=${known}`],
      ...["-o", "GlobalKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10"],
      `${host.user}@${host.address}`,
      command,
    ]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
