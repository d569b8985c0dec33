import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { Login, MachineSession, MachinesPort } from "./adopt-ports.ts";
import { cannotInstall, installDocker } from "./install-docker.ts";
import { lookAtMachine, type MachineLook } from "./look-at-machine.ts";

/** What is asked of an adoption. */
export interface Adoption {
  readonly login: Login;
  /** The fingerprints that are believed of this host already. */
  readonly believed?: readonly string[];
  /** The fingerprint that the operator expects; a machine with another one is refused. */
  readonly expected?: string | undefined;
}

/** The operator's part. */
export interface AdoptDeps {
  readonly machines: MachinesPort;
  /** Asks whether this is the machine's key; undefined where nobody can be asked. */
  confirmKey(fingerprint: string): Promise<boolean | undefined>;
  /** Records that it is; called before anything is sent to the machine. */
  approveKey(fingerprint: string): void;
  /** Asks whether Docker may be installed; undefined where nobody can be asked. */
  confirmInstall(look: MachineLook): Promise<boolean | undefined>;
  progress(text: string): void;
}

/** A machine that can be a host. */
export interface AdoptedMachine {
  readonly fingerprint: string;
  readonly look: MachineLook & { readonly engine: { readonly kind: "usable" } };
  readonly installed: boolean;
}

/**
 * Makes sure that a machine can be a host: its key is the one the operator confirmed, and its Docker
 * answers to the user. May be repeated; what was done is not done again.
 * @throws AlError `host-key-mismatch`, `approval-needed`, `docker-missing`, `docker-permission`,
 * `docker-down`, `install-failed` or the transport's.
 */
export async function adoptMachine(
  adoption: Adoption,
  deps: AdoptDeps,
  options: CallOptions = {},
): Promise<AdoptedMachine> {
  const { login } = adoption;
  const { fingerprint } = await deps.machines.readHostKey(login, options);
  await checkKey(adoption, fingerprint, deps);
  const found = await withSession({ login, fingerprint, deps, options }, async (session) => {
    const look = await lookAtMachine(session, options);
    return look.engine.kind === "missing"
      ? { look, installed: await install({ session, look, login, deps, options }) }
      : { look, installed: false };
  });
  // What a user may do is fixed at login: the new group counts from the next one on.
  const look = found.installed
    ? await withSession({ login, fingerprint, deps, options }, (session) =>
        lookAtMachine(session, options),
      )
    : found.look;
  const { engine } = look;
  if (engine.kind !== "usable") throw notUsable(login, engine);
  return { fingerprint, look: { ...look, engine }, installed: found.installed };
}

async function checkKey(
  { login, believed = [], expected }: Adoption,
  offered: string,
  deps: AdoptDeps,
): Promise<void> {
  if (expected !== undefined && expected !== offered) throw otherKey(login, offered, expected);
  const isBelieved = believed.includes(offered);
  if (expected === undefined && !isBelieved) {
    const answer = await deps.confirmKey(offered);
    if (answer === undefined) throw keyUnconfirmed(login, offered);
    if (!answer) throw keyRefused(login, offered);
  }
  if (!isBelieved) deps.approveKey(offered);
}

interface SessionTask {
  readonly login: Login;
  readonly fingerprint: string;
  readonly deps: AdoptDeps;
  readonly options: CallOptions;
}

async function withSession<T>(
  { login, fingerprint, deps, options }: SessionTask,
  work: (session: MachineSession) => Promise<T>,
): Promise<T> {
  const session = await deps.machines.connect(login, { ...options, fingerprint });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

interface Install {
  readonly session: MachineSession;
  readonly look: MachineLook;
  readonly login: Login;
  readonly deps: AdoptDeps;
  readonly options: CallOptions;
}

async function install({ session, look, login, deps, options }: Install): Promise<true> {
  const impossible = cannotInstall(look, login.user);
  if (impossible !== undefined) throw missing(login, impossible);
  const answer = await deps.confirmInstall(look);
  if (!answer) {
    throw missing(login, "Let al install the distribution's: repeat it with --install-docker");
  }
  deps.progress(`${login.host}: installing Docker`);
  await installDocker(session, { uid: look.uid, user: login.user }, options);
  return true;
}

const CODES = {
  missing: "docker-missing",
  refused: "docker-permission",
  down: "docker-down",
} as const;

function notUsable(
  { host }: Login,
  { kind, says, hint }: { kind: keyof typeof CODES; says: string; hint: string | undefined },
): AlError {
  return new AlError(says, {
    code: CODES[kind],
    blame: "user",
    hint: `${hint ?? "Mend it on the machine."} Then repeat the command for ${host}.`,
  });
}

function missing({ host }: Login, hint: string): AlError {
  return new AlError(`${host}: Docker is not installed`, {
    code: CODES.missing,
    blame: "user",
    hint,
  });
}

const COMPARE =
  "Compare it with what the machine's own console shows: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";

function otherKey({ host }: Login, offered: string, expected: string): AlError {
  return new AlError(
    `host ${host} offers key ${offered}, not ${expected}; nothing was sent to it`,
    {
      code: "host-key-mismatch",
      blame: "user",
      hint: `${COMPARE}. If it shows another one, somebody else answers at this address.`,
    },
  );
}

function keyUnconfirmed({ host }: Login, offered: string): AlError {
  return new AlError(`host ${host} offers key ${offered}, which nobody has confirmed`, {
    code: "approval-needed",
    blame: "user",
    hint: `${COMPARE}. Then repeat it with --fingerprint ${offered}`,
  });
}

function keyRefused({ host }: Login, offered: string): AlError {
  return new AlError(`host ${host}: key ${offered} was not confirmed; nothing was done`, {
    code: "approval-needed",
    blame: "user",
    hint: COMPARE,
  });
}
