import { randomUUID } from "node:crypto";
import type { CallOptions } from "../base/deadline.ts";
import { AlError, toAlError } from "../base/errors.ts";
import type { Ended, Login, MachineSession, MachinesPort } from "./adopt-ports.ts";
import { asRoot } from "./install-docker.ts";
import { lookAtMachine, textOf } from "./look-at-machine.ts";
import { rootNeeded } from "./plan-hardening.ts";
import {
  KEEP_SCRIPT,
  REVERT_SCRIPT,
  SETTINGS_SCRIPT,
  sshdSettings,
  TRY_SCRIPT,
} from "./sshd-trial.ts";

/** How long a machine waits for our word before it takes its old settings back. */
export const TRIAL_SECONDS = 90;
/** Each script takes a second or two, and at most five for sshd to read its settings again. */
const STEP_MS = 30_000;

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
  const { login, fingerprint } = hardening;
  const first = await machines.connect(login, { ...options, fingerprint });
  try {
    const trial = await prepareTrial(first, hardening, options);
    const tried = await trial.run(first, TRY_SCRIPT, options);
    if (tried.code !== 0) throw notTried(login, tried);
    try {
      await keepFromOutside(machines, hardening, { trial, options });
    } catch (thrown) {
      // The machine does it by itself too; this is only sooner, also for who has no patience.
      await trial.run(first, REVERT_SCRIPT, {}).catch(() => {});
      throw unconfirmed(login, thrown);
    }
  } finally {
    await first.close();
  }
}

/** One trial: its token, settings and places are the same for all three scripts. */
interface Trial {
  run(session: MachineSession, script: string, options: CallOptions): Promise<Ended>;
}

async function prepareTrial(
  session: MachineSession,
  { login, root = "", trialSeconds = TRIAL_SECONDS }: SshdHardening,
  options: CallOptions,
): Promise<Trial> {
  const { uid, canBeRoot } = await lookAtMachine(session, options);
  if (!canBeRoot) throw rootNeeded(login);
  const asked = asRoot(uid, ["sh", "-c", SETTINGS_SCRIPT]);
  const effective = await session.exec(asked, { timeoutMs: STEP_MS, ...options });
  const stdin = sshdSettings(textOf(effective.stdout));
  const places = [root, randomUUID(), String(trialSeconds), REVERT_SCRIPT];
  return {
    run: (on, script, { signal }) =>
      on.exec(asRoot(uid, ["sh", "-c", script, "sh", ...places]), {
        timeoutMs: STEP_MS,
        signal,
        stdin,
      }),
  };
}

interface Keeping {
  readonly trial: Trial;
  readonly options: CallOptions;
}

/** A new login, with the new settings in force, is the only proof that one is possible. */
async function keepFromOutside(
  machines: MachinesPort,
  { login, fingerprint }: SshdHardening,
  { trial, options }: Keeping,
): Promise<void> {
  const second = await machines.connect(login, { ...options, fingerprint });
  try {
    const kept = await trial.run(second, KEEP_SCRIPT, options);
    if (kept.code !== 0) throw notKept(login, kept);
  } finally {
    await second.close();
  }
}

function notKept({ host }: Login, { stderr }: Ended): AlError {
  const said = textOf(stderr).trim();
  return new AlError(`${host}: ${said}`, { code: "harden-unconfirmed", blame: "transient" });
}

const BUSY = 75;

function notTried({ host }: Login, { code, stderr }: Ended): AlError {
  const said = textOf(stderr).trim();
  if (code === BUSY) {
    return new AlError(`${host}: ${said}`, {
      code: "harden-busy",
      blame: "transient",
      hint: `Somebody else hardens it: repeat the command in ${TRIAL_SECONDS} seconds; if a trial was cut off there, in ten minutes.`,
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
  return new AlError(`${host}: sshd's new settings were not confirmed by a new login: ${message}`, {
    code: "harden-unconfirmed",
    blame: "user",
    hint: `Where they were not kept by then, the machine takes its old ones back within ${TRIAL_SECONDS} seconds. What counts there: al host check ${host}`,
    cause: thrown,
  });
}
