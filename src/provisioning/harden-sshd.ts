import { randomUUID } from "node:crypto";
import type { CallOptions } from "../base/deadline.ts";
import { AlError, toAlError } from "../base/errors.ts";
import type { Ended, Login, MachineSession, MachinesPort } from "./adopt-ports.ts";
import { asRoot } from "./install-docker.ts";
import { lookAtMachine, textOf } from "./look-at-machine.ts";
import { KEEP_SCRIPT, REVERT_SCRIPT, SSHD_SETTINGS, TRY_SCRIPT } from "./sshd-trial.ts";

/** How long a machine waits for our word before it takes its old settings back. */
export const TRIAL_SECONDS = 90;
const CONFIRM_MS = 45_000;

/** Which machine's sshd is hardened. */
export interface SshdHardening {
  readonly login: Login;
  /** The approved host key's. */
  readonly fingerprint: string;
  /** The machine's root directory, for tests. Default `/`. */
  readonly root?: string;
  /** Default {@link TRIAL_SECONDS}. */
  readonly trialSeconds?: number;
}

/**
 * Gives a machine's sshd our settings without ever locking anybody out: they are on trial until a second,
 * new connection under them has said that they may stay, else the machine takes them back by itself, after
 * the trial or a reboot. May be repeated.
 * @throws AlError `root-needed` (user); `sshd-refused` (user), nothing changed; `harden-unconfirmed` (user),
 * nothing stays; `harden-busy` (transient); or the transport's.
 */
export async function hardenSshd(
  machines: MachinesPort,
  hardening: SshdHardening,
  options: CallOptions = {},
): Promise<void> {
  const { login, fingerprint, root = "", trialSeconds = TRIAL_SECONDS } = hardening;
  const token = randomUUID();
  const first = await machines.connect(login, { ...options, fingerprint });
  try {
    const { uid, canBeRoot } = await lookAtMachine(first, options);
    if (!canBeRoot) throw rootNeeded(login);
    const run = (session: MachineSession, script: string, more: readonly string[] = []) => {
      const argv = asRoot(uid, ["sh", "-c", script, "sh", root, token, ...more]);
      return session.exec(argv, { timeoutMs: CONFIRM_MS, ...options, stdin: SSHD_SETTINGS });
    };
    const tried = await run(first, TRY_SCRIPT, [String(trialSeconds), REVERT_SCRIPT]);
    if (tried.code !== 0) throw notTried(login, tried);
    try {
      await keepFromOutside(machines, hardening, { run, options });
    } catch (thrown) {
      // The machine does it by itself too; this is only sooner.
      await run(first, REVERT_SCRIPT).catch(() => {});
      throw unconfirmed(login, thrown);
    }
  } finally {
    await first.close();
  }
}

interface Keeping {
  readonly run: (session: MachineSession, script: string) => Promise<Ended>;
  readonly options: CallOptions;
}

/** A new login, with the new settings in force, is the only proof that one is possible. */
async function keepFromOutside(
  machines: MachinesPort,
  { login, fingerprint }: SshdHardening,
  { run, options }: Keeping,
): Promise<void> {
  const second = await machines.connect(login, { ...options, fingerprint });
  try {
    const kept = await run(second, KEEP_SCRIPT);
    if (kept.code !== 0) throw new Error(textOf(kept.stderr).trim());
  } finally {
    await second.close();
  }
}

function rootNeeded({ host, user }: Login): AlError {
  return new AlError(`${host}: ${user} is not root and may not use sudo without a password`, {
    code: "root-needed",
    blame: "user",
    hint: "Harden it by hand (docs/hosts.md has the settings), or let the user use sudo for a while.",
  });
}

const BUSY = 75;

function notTried({ host }: Login, { code, stderr }: Ended): AlError {
  const said = textOf(stderr).trim();
  if (code === BUSY) {
    return new AlError(`${host}: ${said}`, {
      code: "harden-busy",
      blame: "transient",
      hint: `Somebody else hardens it, or a trial was cut off: repeat the command in ${TRIAL_SECONDS} seconds.`,
    });
  }
  return new AlError(`${host}: sshd's settings were not changed: ${said}`, {
    code: "sshd-refused",
    blame: "user",
    hint: "Mend it on the machine, and repeat the command.",
  });
}

function unconfirmed({ host }: Login, thrown: unknown): AlError {
  const { message } = toAlError(thrown);
  return new AlError(`${host}: no new login was possible with the new sshd settings: ${message}`, {
    code: "harden-unconfirmed",
    blame: "user",
    hint: `They do not stay: the machine takes its old ones back within ${TRIAL_SECONDS} seconds, or has done so.`,
    cause: thrown,
  });
}
