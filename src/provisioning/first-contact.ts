import type { Clock } from "../base/clock.ts";
import { AlError, hasCode, toAlError } from "../base/errors.ts";
import type {
  ContactPort,
  HostKeyApprovals,
  MachinePlace,
  MachineRecords,
  NewMachine,
} from "./ports.ts";
import { machineNotUp, proveKey } from "./prove-key.ts";

const INTERVAL_MS = 3_000;
/** From an address to the end of the first boot. */
const PATIENCE_MS = 15 * 60_000;

/** What {@link replaceFirstKey} works with. */
export interface FirstContactDeps {
  readonly contact: ContactPort;
  readonly records: MachineRecords;
  readonly approvals: HostKeyApprovals;
  readonly clock: Clock;
}

/** How a first contact is watched and ended. */
export interface FirstContactOptions {
  /** Told what is waited for, in a few words. */
  readonly onWait?: (what: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until a new machine is done with its first boot, and replaces the host key that was sent along
 * with it, since user data stays readable, by one that the machine made itself. The new key is approved
 * when the machine has proved it. Whatever cuts this off, calling it again finishes: the new key is
 * recorded before the machine takes it.
 *
 * @returns the public half of the key that the machine has then.
 * @throws AlError `wrong-machine`, `auth-failed` (user), `machine-not-up` (transient).
 */
export async function replaceFirstKey(
  place: MachinePlace,
  first: string,
  deps: FirstContactDeps,
  options: FirstContactOptions = {},
): Promise<string> {
  const { records, approvals } = deps;
  const { signal } = options;
  const known = records.machineRecord(place.host)?.machine?.ownKey;
  if (known !== undefined && approvals.isApproved(place.host, known)) return known;
  const keys = known === undefined ? [first] : [first, known];
  const machine = await whenReady(place, keys, deps, options);
  let own: string;
  try {
    own = await machine.ownHostKey(first, { signal });
    recordOwnKey(records, place.host, own);
    await machine.takeHostKey(own, { signal });
  } finally {
    await machine.close();
  }
  await proveKey(place, own, deps, options);
  approvals.approve(place, own);
  return own;
}

function recordOwnKey(records: MachineRecords, host: string, ownKey: string): void {
  const record = records.machineRecord(host);
  if (!record?.machine) {
    throw new AlError(`host ${host}: its machine was forgotten while it was set up`, {
      code: "machine-forgotten",
      blame: "user",
      hint: `Did somebody run al deprovision meanwhile? Then begin again: al provision ${host}`,
    });
  }
  records.recordMachine({ ...record, machine: { ...record.machine, ownKey } });
}

type Look =
  | { readonly kind: "ready"; readonly machine: NewMachine }
  | { readonly kind: "not-yet"; readonly waitsFor: string; readonly why: string };

/** A connection of its own for every look: sshd may be restarted during the first boot. */
async function whenReady(
  place: MachinePlace,
  keys: readonly string[],
  { contact, clock }: FirstContactDeps,
  { onWait, signal }: FirstContactOptions,
): Promise<NewMachine> {
  const start = clock.now();
  for (;;) {
    const found = await look(place, keys, contact, signal);
    if (found.kind === "ready") return found.machine;
    if (clock.now() - start > PATIENCE_MS) throw machineNotUp(place, found.why);
    onWait?.(found.waitsFor);
    await clock.sleep(INTERVAL_MS, signal);
  }
}

async function look(
  place: MachinePlace,
  keys: readonly string[],
  contact: ContactPort,
  signal: AbortSignal | undefined,
): Promise<Look> {
  let machine: NewMachine | undefined;
  try {
    machine = await contact.connect(place, keys, { signal });
    const lacks = await machine.lacks({ signal });
    if (lacks === undefined) return { kind: "ready", machine };
    await machine.close();
    return { kind: "not-yet", waitsFor: lacks, why: `it lacks ${lacks}` };
  } catch (thrown) {
    await machine?.close();
    signal?.throwIfAborted();
    if (hasCode(thrown, "host-key-mismatch")) throw wrongMachine(place, thrown);
    const error = toAlError(thrown);
    if (error.blame !== "transient") throw error;
    return { kind: "not-yet", waitsFor: "sshd", why: error.message };
  }
}

function wrongMachine({ host, address, port }: MachinePlace, cause: AlError): AlError {
  const what = `host ${host}: what answers at ${address}:${port} does not have the key that its machine was made with`;
  return new AlError(`${what}; nothing was sent to it`, {
    code: "wrong-machine",
    blame: "user",
    hint: `Another machine may have the address now: compare it in the provider's console. To give the host's machine back: al deprovision ${host}`,
    cause,
  });
}
