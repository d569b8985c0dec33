import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Secret } from "../base/secret.ts";
import type { ContainerPaths } from "./container-paths.ts";
import { forgeHostKeys } from "./forge-host-keys.ts";

/**
 * Puts an SSH key where ssh accepts it (mode 0600, own file: the mount is read-only and its modes
 * are not ours) and gives the GIT_SSH_COMMAND that uses it and nothing else. Servers are believed
 * only when their key is known: the big forges' from here, others' from the image's ssh_known_hosts.
 */
export async function installGitKey(
  key: Secret,
  { tmp, knownHosts }: Pick<ContainerPaths, "tmp" | "knownHosts">,
): Promise<string> {
  const directory = join(tmp, ".al-ssh");
  const [identity, forges] = [join(directory, "id"), join(directory, "known_hosts")];
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // OpenSSH refuses a key without its last line break; stored values are trimmed.
  await writeFile(identity, `${key.reveal().replaceAll("\r\n", "\n")}\n`, { mode: 0o600 });
  await writeFile(forges, `${forgeHostKeys}\n`, { mode: 0o600 });
  return [
    `ssh -i ${quoted(identity)}`,
    "-o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes",
    `-o UserKnownHostsFile=${quoted(forges)} -o GlobalKnownHostsFile=${quoted(knownHosts)}`,
  ].join(" ");
}

/** git gives the command to a shell. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
