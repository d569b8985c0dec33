import { AlError, toAlError } from "../../base/errors.ts";
import { counted } from "../../core/counted.ts";
import { activeRuns } from "../../core/plan-removal.ts";
import { checkAccount } from "../../provisioning/check-account.ts";
import { releaseMachine } from "../../provisioning/release-machine.ts";
import { cleanHost } from "../../reconcile/removed-hosts.ts";
import { askYes } from "../ask.ts";
import { type Adapters, compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { writeLockedHost } from "../lock-file.ts";
import { openProvisioning } from "../open-provisioning.ts";
import { openLocked } from "../provisioning-lock.ts";
import { readWorkingFleet } from "../working-copy.ts";
import { drain } from "./drain.ts";
import { liveRuntime, type RuntimePlace, withHost } from "./live-runtime.ts";

/** What `al deprovision` may be told. */
export interface DeprovisionFlags {
  readonly host: string;
  /** Do it without asking. */
  readonly yes: boolean;
  /** Give the machine back without waiting for its runs, also when it cannot be reached. */
  readonly force: boolean;
}

/**
 * `al deprovision`: once the operator agrees, waits until no run is active on a host, removes what is
 * ours there, with its credentials, and gives its machine back, then its firewall. The host's data is
 * lost. Whatever cuts it off, the same command finishes.
 * @throws AlError `no-machine`, `other-account`, `not-emptied`, or the provider's.
 */
export async function deprovision(
  context: CliContext,
  { host, yes, force }: DeprovisionFlags,
  open: typeof openProvisioning = openProvisioning,
): Promise<number> {
  const { output, interactive, signal, project: directory } = context;
  const { file, locked } = await readWorkingFleet(context);
  const { name: project } = file.project;
  const access = yes || interactive ? "write" : "read";
  const { deps, close } = await openLocked(context, { project, access }, open);
  try {
    await checkAccount(deps, { signal });
    const record = deps.records.machineRecord(host);
    const instanceId = record?.machine?.id;
    if (instanceId === undefined && !record?.attempts.length) {
      throw notOurs(host, locked[host]?.instanceId);
    }
    const isWanted = file.hosts[host]?.provider === "vultr";
    output.record({ kind: "deprovision-plan", host, instanceId, isWanted });
    const machine = instanceId === undefined ? "what was ordered for it" : `machine ${instanceId}`;
    output.line(`${host}: ${machine} is given back, with its firewall; all data on it is lost`);
    if (isWanted) output.line("  it is still in fleet.toml: al provision would make another one");
    if (!yes && !interactive) {
      output.line(`to do this: al deprovision ${host} --yes`);
      return EXIT.changes;
    }
    if (!yes && !(await askYes(`give back the machine of ${host}?`))) return EXIT.error;
    await emptyHost(context, { project, host, force });
    await writeLockedHost(directory, host, undefined);
    await releaseMachine({ project, host }, deps, { signal });
    output.record({ kind: "deprovisioned", host, instanceId });
    output.line(`${host}: given back; commit fleet.toml and fleet.lock.toml`);
    return EXIT.done;
  } finally {
    close();
  }
}

interface Going {
  readonly project: string;
  readonly host: string;
  readonly force: boolean;
}

/** Takes from a host what is ours, if anything is known to be there. */
async function emptyHost(context: CliContext, { project, host, force }: Going): Promise<void> {
  const adapters = compose(context, project);
  try {
    const known = adapters.store.knownHosts().find(({ address }) => address.host === host);
    if (known && !force) {
      await drainHost(context, adapters, { project, address: known.address });
      context.output.progress(`${host}: removing what is ours there`);
      const of = { project, revision: "deprovision" };
      await cleanHost(host, of, adapters.deps, { signal: context.signal });
    }
    adapters.store.forget(host);
  } catch (thrown) {
    if (context.signal.aborted) throw interrupted(host, thrown);
    throw notEmptied(host, thrown);
  } finally {
    adapters.close();
  }
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

function notOurs(host: string, lockedId: string | undefined): AlError {
  const isElsewhere = lockedId !== undefined;
  return new AlError(`no machine of host ${host} was ordered from here`, {
    code: "no-machine",
    blame: "user",
    hint: isElsewhere
      ? `fleet.lock.toml names machine ${lockedId}: give it back where it was ordered, or in the provider's console.`
      : "What was left behind at the provider is listed by: al provision --gc",
  });
}
