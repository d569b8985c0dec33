import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Secret } from "../base/secret.ts";

/**
 * Puts an SSH key where ssh accepts it (mode 0600, own file: the mount is read-only and its modes
 * are not ours) and gives the GIT_SSH_COMMAND that uses it and nothing else.
 */
export async function installGitKey(key: Secret, tmp: string): Promise<string> {
  const directory = join(tmp, ".al-ssh");
  const file = join(directory, "id");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // OpenSSH refuses a key without its last line break; stored values are trimmed.
  await writeFile(file, `${key.reveal().replaceAll("\r\n", "\n")}\n`, { mode: 0o600 });
  return [
    `ssh -i '${file.replaceAll("'", "'\\''")}'`,
    "-o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new",
    `-o UserKnownHostsFile='${join(directory, "known_hosts").replaceAll("'", "'\\''")}'`,
  ].join(" ");
}
