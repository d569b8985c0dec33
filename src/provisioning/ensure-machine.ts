import type { Clock } from "../base/clock.ts";
import { AlError, hasCode, toAlError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import type { Machine, MachineRecord, MachineRequest } from "../core/machine.ts";
import {
  byAge,
  type FoundMachines,
  findAllOwn,
  findOwn,
  findOwnPatiently,
  getPatiently,
} from "./find-own.ts";
import { checkOwnTags, ownerOf, ownerTags } from "./machine-tags.ts";
import type { MachineProvider, MachineRecords } from "./ports.ts";

const ATTEMPTS = 3;

/** The machine that a host is to have. */
export interface MachineOrder extends Omit<MachineRequest, "name" | "userData"> {
  readonly project: string;
  readonly host: string;
  /** Whom it is made with: remembered, since fleet.toml may say something else by the next time. */
  readonly user?: string | undefined;
  /** The operator's own, besides ours. */
  readonly tags: readonly string[];
}

/** What {@link ensureMachine} works with. */
export interface EnsureMachineDeps {
  readonly provider: Pick<
    MachineProvider,
    "createMachine" | "findMachines" | "getMachine" | "deleteMachine"
  >;
  readonly records: MachineRecords;
  readonly clock: Clock;
  /** Random, lower-case letters and digits. */
  readonly newNonce: () => string;
  /** A new host key pair: its public half, and user data that holds the private one. */
  readonly firstBoot: () => Promise<{ readonly userData: Secret; readonly hostKey: string }>;
}

/** The one machine of a host. */
export interface EnsuredMachine {
  readonly machine: Machine;
  /** The key it must offer at first contact. */
  readonly hostKey: string;
  /** Whom it was made with, where that is known. */
  readonly user: string | undefined;
  /** False when it was there before. */
  readonly isNew: boolean;
}

/**
 * Gives the host its machine, and orders one if there is none. However often this is cut off, at
 * whatever point, calling it again ends with exactly one machine: each attempt is written down with
 * a nonce before it is sent, the nonce is in the machine's tags, and what attempts made is looked for
 * before another is sent. Of several the oldest stays.
 *
 * @throws AlError `machine-gone`, `machine-of-another`, `reserved-tag` (user), or the provider's.
 */
export async function ensureMachine(
  order: MachineOrder,
  deps: EnsureMachineDeps,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<EnsuredMachine> {
  const { signal } = options;
  const { host } = order;
  checkOwnTags(order.tags);
  const record = deps.records.machineRecord(host) ?? { host, attempts: [], machine: undefined };
  if (record.machine) return recorded(record, deps, signal);
  const search = { project: order.project, host, clock: deps.clock, signal };
  const { attempts } = record;
  const look = attempts.length === 0 ? findOwn : findOwnPatiently;
  const found = await look(deps.provider, { ...search, attempts });
  if (found.own.length > 0) return settleOn(found, { record, deps, signal }, false);
  const [stranger] = found.strangers;
  if (stranger) throw ofAnother(host, stranger);
  const ordered = await orderMachine(order, { record, deps, signal });
  // Another operator, or an earlier attempt that arrived late, may have been as fast.
  const all = await findAllOwn(deps.provider, { ...search, attempts: ordered.record.attempts });
  const own = [ordered.machine, ...all.own.filter(({ id }) => id !== ordered.machine.id)];
  const context = { record: ordered.record, deps, signal };
  return settleOn({ own: own.sort(byAge), strangers: all.strangers }, context, true);
}

interface Context {
  readonly record: MachineRecord;
  readonly deps: EnsureMachineDeps;
  readonly signal: AbortSignal | undefined;
}

/** Sends attempts, each written down before, until one is answered or found to have worked. */
async function orderMachine(
  order: MachineOrder,
  { record: before, deps, signal }: Context,
): Promise<{ machine: Machine; record: MachineRecord }> {
  const { provider, records, clock } = deps;
  const { project, host, user, tags, ...choice } = order;
  let record = before;
  for (let number = 1; ; number += 1) {
    const previous = record;
    const { userData, hostKey } = await deps.firstBoot();
    const nonce = deps.newNonce();
    record = { ...previous, attempts: [...previous.attempts, { nonce, hostKey, user }] };
    records.recordMachine(record);
    const request = {
      ...choice,
      name: host,
      userData,
      tags: [...ownerTags({ project, host, nonce }), ...tags],
    };
    try {
      const machine = await provider.createMachine(request, { signal });
      return { machine: { ...machine, tags: request.tags }, record };
    } catch (thrown) {
      signal?.throwIfAborted();
      // Nothing was made: there will be nothing to look for.
      if (toAlError(thrown).blame === "user") records.recordMachine(previous);
      if (!hasCode(thrown, "provider-answer-lost")) throw thrown;
      const { attempts } = record;
      const search = { project, host, attempts, clock, signal };
      const [machine] = (await findOwnPatiently(provider, search)).own;
      if (machine) return { machine, record };
      if (number === ATTEMPTS) throw thrown;
    }
  }
}

/** The oldest stays, and what else our attempts made goes, unless another operator was first. */
async function settleOn(
  { own, strangers }: FoundMachines,
  { record, deps, signal }: Context,
  isNew: boolean,
): Promise<EnsuredMachine> {
  const { provider, records } = deps;
  const [machine, ...surplus] = own as readonly [Machine, ...Machine[]];
  const [stranger] = strangers;
  const isLate = stranger !== undefined && byAge(stranger, machine) < 0;
  for (const { id } of isLate ? own : surplus) await provider.deleteMachine(id, { signal });
  if (isLate) {
    // Every order was carried out and its machine given back: nothing can come of them any more.
    if (own.length === record.attempts.length) records.forgetMachine(record.host);
    throw ofAnother(record.host, stranger);
  }
  const nonce = ownerOf(machine)?.nonce ?? "";
  records.recordMachine({ ...record, machine: { id: machine.id, nonce } });
  return { machine, ...attemptOf(record, nonce), isNew };
}

async function recorded(
  record: MachineRecord,
  { provider, clock }: EnsureMachineDeps,
  signal: AbortSignal | undefined,
): Promise<EnsuredMachine> {
  const { id = "", nonce = "" } = record.machine ?? {};
  const machine = await getPatiently(provider, id, { clock, signal });
  if (machine) return { machine, ...attemptOf(record, nonce), isNew: false };
  throw machineGone(record.host, id);
}

/** The error for a host whose machine its provider does not know any more. */
export function machineGone(host: string, id: string): AlError {
  return new AlError(`the machine of host ${host}, ${id}, is gone from its provider`, {
    code: "machine-gone",
    blame: "user",
    hint: `If it was removed on purpose, run: al deprovision ${host}`,
  });
}

function attemptOf(
  { host, attempts }: MachineRecord,
  nonce: string,
): Pick<EnsuredMachine, "hostKey" | "user"> {
  const attempt = attempts.find((one) => one.nonce === nonce);
  if (attempt) return { hostKey: attempt.hostKey, user: attempt.user };
  throw new AlError(`host ${host}: no attempt is recorded for machine nonce ${nonce}`, {
    code: "machine-record-torn",
    blame: "bug",
  });
}

function ofAnother(host: string, { id, createdAtMs }: Machine): AlError {
  const when = new Date(createdAtMs).toISOString();
  return new AlError(`host ${host} already has machine ${id}, made ${when} from elsewhere`, {
    code: "machine-of-another",
    blame: "user",
    hint: "Is another operator provisioning it? Then take over fleet.lock.toml from there. If it was left behind, list and remove it with: al provision --gc",
  });
}
