import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { AlError, errnoOf } from "../../base/errors.ts";
import type { HostInput } from "../../core/project-input.ts";
import { readControllerStore } from "../../state/controller-store.ts";
import { believedKey } from "../believed-key.ts";
import type { CliContext } from "../context.ts";
import { checkAddress, checkRemote, hostOf, readFleet } from "../read-fleet.ts";
import { sshArguments } from "../ssh-arguments.ts";
import { storeDirectory } from "../wake.ts";

/**
 * `al host ssh`: the OpenSSH client on a host, with the fleet's key, for a host whose approved key it is.
 * The operator's own ssh configuration and known hosts have no part in it. Returns ssh's exit code.
 */
export async function hostSsh(
  context: CliContext,
  name: string,
  command: readonly string[],
): Promise<number> {
  const fleet = await readFleet(context);
  const host = hostOf(fleet, name);
  checkRemote(host, "Open a shell here.");
  checkAddress(host);
  const identity = await identityFile(context.home);
  const publicKey = await approvedKey(context, fleet.file.project.name, host);
  const directory = await mkdtemp(join(tmpdir(), "al-ssh-"));
  try {
    const knownHosts = join(directory, "known_hosts");
    await writeFile(knownHosts, `${name} ${publicKey}\n`, { mode: 0o600 });
    const argv = sshArguments({ ...host, identity, knownHosts }, command);
    return await runSsh(argv, context.signal);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** OpenSSH wants the key, we keep its fingerprint. */
async function approvedKey(
  { home, signal }: CliContext,
  project: string,
  host: HostInput,
): Promise<string> {
  const store = readControllerStore(storeDirectory(home, project));
  const fingerprints = store.believedKeys(host.host);
  store.close();
  return believedKey(host, fingerprints, { signal });
}

/** OpenSSH reads the key itself, and refuses one without its last line break. */
async function identityFile(home: string): Promise<string> {
  const path = join(home, "credentials/vps_ssh/default/private_key");
  const text = await readFile(path, "latin1").catch((thrown) => {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  });
  if (text?.endsWith("\n")) return path;
  const what = text === undefined ? "there is no SSH key" : "the stored SSH key is cut off";
  throw new AlError(`${what} for the fleet's hosts`, {
    code: "credential-missing",
    blame: "user",
    hint: "Add the private key: al creds add vps_ssh --field private_key=@FILE",
  });
}

async function runSsh(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const child = spawn("ssh", argv, { stdio: "inherit" });
  signal.addEventListener("abort", () => child.kill(), { once: true });
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } catch (thrown) {
    throw new AlError(`ssh could not be started: ${(thrown as Error).message}`, {
      code: "ssh-missing",
      blame: "user",
      hint: "Install the OpenSSH client on this machine.",
      cause: thrown,
    });
  }
}
