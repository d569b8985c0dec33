import { createHash } from "node:crypto";
import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { Login, MachineSession } from "./adopt-ports.ts";
import { type DaemonJson, mergedDaemonJson } from "./daemon-json.ts";
import { HARDENING_LOOK_SCRIPT } from "./harden-scripts.ts";
import { asRoot, DISTRIBUTIONS } from "./install-docker.ts";
import { type MachineLook, textOf } from "./look-at-machine.ts";
import { sshdChanges } from "./sshd-trial.ts";

/** A file of a machine, by its absolute path. */
export interface MachineFile {
  readonly path: string;
  readonly content: string;
}

/** What a machine is to have besides sshd's settings. */
export interface MachineSettings {
  readonly packages: readonly string[];
  readonly files: readonly MachineFile[];
  /** Of Docker's daemon.json. */
  readonly daemon: Readonly<Record<string, unknown>>;
}

/** Where things lie on a machine; tests have others. */
export interface HardeningPlaces {
  readonly daemonJson: string;
  readonly dockerPid: string;
  /** There from the first change to the last. */
  readonly mark: string;
}

/** Those of Debian and Ubuntu. */
export const HARDENING_PLACES: HardeningPlaces = {
  daemonJson: "/etc/docker/daemon.json",
  dockerPid: "/run/docker.pid",
  mark: "/run/action-llama-hardening",
};

/** What a machine lacks of {@link MachineSettings} and of sshd's. */
export interface HardeningPlan {
  readonly packages: readonly string[];
  readonly files: readonly MachineFile[];
  readonly daemon: DaemonJson | undefined;
  /** `Setting value`, each. */
  readonly sshd: readonly string[];
  /** An earlier one was cut off: what was written may not have been read. */
  readonly isBegun: boolean;
}

/**
 * What hardening a machine would change; changes nothing.
 * @throws AlError `harden-unsupported`, `root-needed`, `harden-failed`, `daemon-json-invalid` (user).
 */
export async function planHardening(
  session: MachineSession,
  settings: MachineSettings,
  options: CallOptions & {
    readonly login: Login;
    readonly look: Pick<MachineLook, "uid" | "canBeRoot" | "distribution">;
    readonly places?: HardeningPlaces;
  },
): Promise<HardeningPlan> {
  const { login, look, places = HARDENING_PLACES, ...call } = options;
  checkPossible(login, look);
  const { daemonJson, dockerPid, mark } = places;
  const paths = settings.files.map(({ path }) => path);
  const args = [daemonJson, dockerPid, mark, ...settings.packages, "--", ...paths];
  const argv = asRoot(look.uid, ["sh", "-c", HARDENING_LOOK_SCRIPT, "sh", ...args]);
  const { code, stdout, stderr } = await session.exec(argv, { timeoutMs: 60_000, ...call });
  if (code !== 0) throw hardenFailed("the machine could not be looked at", textOf(stderr));
  return planOf(textOf(stdout), settings);
}

/** Whether there is nothing to do. */
export function isHardened({ packages, files, daemon, sshd, isBegun }: HardeningPlan): boolean {
  return packages.length + files.length + sshd.length === 0 && daemon === undefined && !isBegun;
}

function planOf(printed: string, { packages, files, daemon }: MachineSettings): HardeningPlan {
  const lines = printed.split("\n");
  const facts = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const installed = facts("package");
  const there = facts("file");
  return {
    packages: packages.filter((name) => !installed.includes(name)),
    files: files.filter(({ path, content }) => !there.includes(`${sha256(content)}  ${path}`)),
    daemon: mergedDaemonJson(facts("daemon").join("\n"), daemon, facts("dockerd")),
    sshd: sshdChanges(facts("sshd").join("\n")),
    isBegun: lines.includes("begun"),
  };
}

function sha256(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

function checkPossible(
  login: Login,
  { canBeRoot, distribution }: Pick<MachineLook, "canBeRoot" | "distribution">,
): void {
  const { host } = login;
  if (!DISTRIBUTIONS.includes(distribution)) {
    throw new AlError(`${host}: al hardens Debian and Ubuntu only`, {
      code: "harden-unsupported",
      blame: "user",
      hint: `Harden it by hand; what could be better there: al host check ${host}`,
    });
  }
  if (!canBeRoot) throw rootNeeded(login);
}

/** Who logs in may not change a machine's settings. */
export function rootNeeded({ host, user }: Login): AlError {
  return new AlError(`${host}: ${user} is not root and may not use sudo without a password`, {
    code: "root-needed",
    blame: "user",
    hint: "Harden it by hand, or let the user use sudo for a while.",
  });
}

/** Something of it did not work on the machine. */
export function hardenFailed(what: string, stderr: string): AlError {
  const said = stderr.trim().split("\n").slice(-5).join("\n");
  return new AlError(`${what}:\n${said}`, {
    code: "harden-failed",
    blame: "user",
    hint: "Mend what it says on the machine, and repeat the command: it goes on where it stopped.",
  });
}
