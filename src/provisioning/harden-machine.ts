import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { Ended, MachineSession } from "./adopt-ports.ts";
import { mergedDaemonJson } from "./daemon-json.ts";
import { DAEMON_SCRIPT, FILE_SCRIPT, PACKAGES_SCRIPT, SERVICES_SCRIPT } from "./harden-scripts.ts";
import { asRoot } from "./install-docker.ts";
import { textOf } from "./look-at-machine.ts";

/** What a machine is given besides sshd's settings: nothing of it can lock anybody out. */
export interface MachineSettings {
  readonly packages: readonly string[];
  /** By absolute path on the machine. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** Of Docker's daemon.json. */
  readonly daemon: Readonly<Record<string, unknown>>;
}

/** Where things lie on the machine, for tests. */
interface Places {
  readonly daemonJson?: string;
  readonly dockerPid?: string;
}

const INSTALL_MS = 20 * 60_000;
const SAME = 3;

/**
 * Gives a machine what keeps it safe by itself: upgrades, bans, limits of logs, live-restore. May be
 * repeated; returns what was changed, a line each, nothing where all was so.
 * @throws AlError `harden-failed` (user) with what the machine said; `daemon-json-invalid` (user).
 */
export async function hardenMachine(
  session: MachineSession,
  settings: MachineSettings,
  {
    uid,
    places = {},
    ...options
  }: CallOptions & { readonly uid: number; readonly places?: Places },
): Promise<readonly string[]> {
  const { daemonJson = "/etc/docker/daemon.json", dockerPid = "/run/docker.pid" } = places;
  const run = (script: string, args: readonly string[], stdin?: string) => {
    const argv = asRoot(uid, ["sh", "-c", script, "sh", ...args]);
    return session.exec(argv, { timeoutMs: INSTALL_MS, ...options, stdin });
  };
  const must = async (what: string, ended: Promise<Ended>) => {
    const { code, stderr } = await ended;
    if (code !== 0) throw failed(what, textOf(stderr));
  };
  const found = await session.exec(asRoot(uid, ["cat", daemonJson]), options);
  const merged = mergedDaemonJson(found.code === 0 ? textOf(found.stdout) : "", settings.daemon);
  await must("packages could not be installed", run(PACKAGES_SCRIPT, settings.packages));
  const written: string[] = [];
  for (const { path, content } of settings.files) {
    const { code, stderr } = await run(FILE_SCRIPT, [path], content);
    if (code !== 0 && code !== SAME) throw failed(`${path} could not be written`, textOf(stderr));
    if (code === 0) written.push(path);
  }
  if (written.length > 0) await must("services did not start", run(SERVICES_SCRIPT, []));
  if (merged === undefined) return written;
  const args = [daemonJson, dockerPid];
  await must("Docker does not take its settings", run(DAEMON_SCRIPT, args, merged));
  return [...written, daemonJson];
}

function failed(what: string, stderr: string): AlError {
  const said = stderr.trim().split("\n").slice(-5).join("\n");
  return new AlError(`${what}:\n${said}`, {
    code: "harden-failed",
    blame: "user",
    hint: "Mend what it says on the machine, and repeat the command: it goes on where it stopped.",
  });
}
