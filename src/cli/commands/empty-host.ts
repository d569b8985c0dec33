import { AlError, toAlError } from "../../base/errors.ts";
import { counted } from "../../core/counted.ts";
import type { HostAddress } from "../../core/desired.ts";
import type { KnownHost } from "../../core/known-host.ts";
import {
  MACHINE_SSH_PORT,
  MACHINE_USER,
  type Machine,
  type MachineRecord,
} from "../../core/machine.ts";
import { activeRuns } from "../../core/plan-removal.ts";
import type { LockedFacts } from "../../provisioning/host-provision.ts";
import { cleanHost } from "../../reconcile/removed-hosts.ts";
import type { Adapters, compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { drain } from "./drain.ts";
import { liveRuntime, type RuntimePlace, withHost } from "./live-runtime.ts";

/** A machine that is about to be given back. */
export interface GoingMachine {
  readonly project: string;
  readonly record: MachineRecord;
  /** As its provider sees it; undefined where it is gone. */
  readonly machine: Machine | undefined;
  /** What fleet.lock.toml says of the host. */
  readonly locked: LockedFacts | undefined;
  /** Leave on it what is there. */
  readonly force: boolean;
}

/**
 * Takes from a machine what is ours, once its runs are done, whoever deployed there; then nothing is
 * known of the host any more.
 * @throws AlError `not-emptied`, `interrupted`.
 */
export async function emptyHost(
  context: CliContext,
  going: GoingMachine,
  wire: typeof compose,
): Promise<void> {
  const { project, record, force } = going;
  const { host } = record;
  const adapters = wire(context, project);
  try {
    // A host of another kind by this name has nothing to do with the machine.
    const known = adapters.store
      .knownHosts()
      .find(({ address }) => address.host === host && address.provider === "vultr");
    const place = force ? undefined : placeOf(going, known, adapters);
    if (place) {
      await drainHost(context, adapters, { project, address: place.address });
      context.output.progress(`${host}: removing what is ours there`);
      const of = { project, revision: "deprovision" };
      await cleanHost(place, of, adapters.deps, { signal: context.signal });
    }
    if (place ?? known) adapters.store.forget(host);
  } catch (thrown) {
    if (context.signal.aborted) throw interrupted(host, thrown);
    throw notEmptied(host, thrown);
  } finally {
    adapters.close();
  }
}

/**
 * Where the machine is reached: another operator's store may be the only one that deployed there.
 * Undefined for one that is gone, or was never ready, so that nobody could.
 */
function placeOf(
  { record, machine, locked }: GoingMachine,
  known: KnownHost | undefined,
  { store }: Adapters,
): KnownHost | undefined {
  const { host, attempts, machine: settled } = record;
  if (!machine) return undefined;
  if (known) return known;
  const published = locked?.instanceId === machine.id ? locked : undefined;
  const isApproved = store.hostKey(host) !== undefined;
  if (!published && !(isApproved && settled?.ownKey !== undefined)) return undefined;
  if (!isApproved) throw notApproved(host);
  const address = machine.address ?? published?.address;
  if (address === undefined) throw noAddress(machine.id);
  const ordered = attempts.find(({ nonce }) => nonce === settled?.nonce)?.user;
  const user = ordered ?? published?.user ?? MACHINE_USER;
  const place: HostAddress = {
    ...{ host, provider: "vultr", address, port: MACHINE_SSH_PORT, user, labels: {} },
  };
  return { address: place, inventory: { items: [] }, agents: [] };
}

/** Where no runtime serves (it was stopped, or nothing was deployed) nobody could say that a run has ended. */
async function drainHost(
  context: CliContext,
  adapters: Adapters,
  place: RuntimePlace,
): Promise<void> {
  await withHost(place, adapters, async (found) => {
    const { current, stopped } = found.observed;
    const isServing = current !== undefined && stopped === undefined;
    const runs = activeRuns(found.observed);
    if (isServing) await drain(context, liveRuntime(found), { kill: false, dev: false });
    else if (runs.length > 0) throw runsGoOn(runs.length);
  });
}

function runsGoOn(runs: number): AlError {
  const what = `${counted(runs, "run")} ${runs === 1 ? "is" : "are"} under way there`;
  return new AlError(`it is stopped, and ${what}, so nobody sees them end (al start does)`, {
    code: "runs-under-way",
    blame: "user",
  });
}

function interrupted(host: string, thrown: unknown): AlError {
  const cause = toAlError(thrown);
  return new AlError(`interrupted: host ${host} keeps its machine, and stays paused if it was`, {
    code: "interrupted",
    blame: "user",
    hint: `To go on: al deprovision ${host}. To keep the host: al resume --host ${host}`,
    cause,
  });
}

function notEmptied(host: string, thrown: unknown): AlError {
  const cause = toAlError(thrown);
  return new AlError(`host ${host} was not emptied, and is kept: ${cause.message}`, {
    code: "not-emptied",
    blame: cause.blame,
    hint: `Run the same command again; or give the machine back as it is: al deprovision ${host} --force`,
    cause,
  });
}

function notApproved(host: string): AlError {
  return new AlError("it may hold what is ours, and its host key is not approved here", {
    code: "approval-needed",
    blame: "user",
    hint: `Approve it: al approve. Or give the machine back as it is: al deprovision ${host} --force`,
  });
}

function noAddress(id: string): AlError {
  return new AlError(`machine ${id} has no address now`, {
    code: "no-address",
    blame: "transient",
  });
}
