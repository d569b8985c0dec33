import { AlError } from "../../base/errors.ts";
import { checkAccount } from "../../provisioning/check-account.ts";
import { getPatiently } from "../../provisioning/find-own.ts";
import { planRelease, type ReleasePlan } from "../../provisioning/plan-release.ts";
import { releaseMachine } from "../../provisioning/release-machine.ts";
import { askYes } from "../ask.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { writeLockedHost } from "../lock-file.ts";
import { openProvisioning, type Provisioning } from "../open-provisioning.ts";
import { openLocked } from "../provisioning-lock.ts";
import { elsewhereText } from "../render/provision.ts";
import { readWorkingFleet } from "../working-copy.ts";
import { emptyHost } from "./empty-host.ts";

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
 * lost. What another operator has of the host stays as it is. Whatever cuts it off, the same command
 * finishes.
 * @throws AlError `no-machine`, `other-account`, `not-emptied`, `provisioning-busy`, or the provider's.
 */
export async function deprovision(
  context: CliContext,
  { host, yes, force }: DeprovisionFlags,
  open: typeof openProvisioning = openProvisioning,
  wire: typeof compose = compose,
): Promise<number> {
  const { output, interactive, signal, project: directory } = context;
  const { file, locked: all } = await readWorkingFleet(context);
  const { name: project } = file.project;
  const locked = Object.hasOwn(all, host) ? all[host] : undefined;
  const lockedId = locked?.instanceId;
  const access = yes || interactive ? "write" : "read";
  const { deps, close } = await openLocked(context, { project, access }, open);
  try {
    await checkAccount(deps, { signal });
    const record = deps.records.machineRecord(host);
    if (!record || (!record.machine && record.attempts.length === 0)) {
      throw await notOurs(host, lockedId, deps, signal);
    }
    const instanceId = record.machine?.id;
    const plan = await planRelease({ project, lockedId }, record, deps, { signal });
    const isWanted = file.hosts[host]?.provider === "vultr";
    const { others } = plan;
    const isGone = instanceId !== undefined && plan.machine === undefined;
    output.record({ kind: "deprovision-plan", host, instanceId, isGone, others, isWanted });
    for (const line of planLines(host, instanceId, plan)) output.line(line);
    if (isWanted) output.line("  it is still in fleet.toml: al provision would make another one");
    if (!yes && !interactive) {
      output.line(`to do this: al deprovision ${host}${force ? " --force" : ""} --yes`);
      return EXIT.changes;
    }
    if (!yes && !(await askYes(`give back the machine of ${host}?`))) return EXIT.error;
    const { machine } = plan;
    if (record.machine) await emptyHost(context, { project, record, machine, locked, force }, wire);
    const isTheirs = lockedId !== undefined && others.includes(lockedId);
    if (!isTheirs) await writeLockedHost(directory, host, undefined);
    await releaseMachine({ project, host, isShared: others.length > 0 }, deps, { signal });
    output.record({ kind: "deprovisioned", host, instanceId });
    output.line(`${host}: given back${isTheirs ? "" : "; commit fleet.toml and fleet.lock.toml"}`);
    return EXIT.done;
  } finally {
    close();
  }
}

function planLines(
  host: string,
  instanceId: string | undefined,
  { machine, others }: ReleasePlan,
): string[] {
  const what = instanceId === undefined ? "what was ordered for it" : `machine ${instanceId}`;
  const firewall = others.length === 0 ? ", with its firewall" : "";
  const isGone = instanceId !== undefined && machine === undefined;
  return [
    isGone
      ? `${host}: ${what} is gone from its provider; it is forgotten${firewall}`
      : `${host}: ${what} is given back${firewall}; all data on it is lost`,
    ...others.map((id) => `  machine ${id}, not ordered from here, stays, with its firewall`),
  ];
}

async function notOurs(
  host: string,
  lockedId: string | undefined,
  { provider, clock }: Provisioning["deps"],
  signal: AbortSignal,
): Promise<AlError> {
  const found = lockedId && (await getPatiently(provider, lockedId, { clock, signal }));
  return new AlError(`no machine of host ${host} was ordered from here`, {
    code: "no-machine",
    blame: "user",
    hint:
      lockedId === undefined
        ? "What was left behind at the provider is listed by: al provision --gc"
        : `fleet.lock.toml names ${elsewhereText({ host, instanceId: lockedId, isGone: !found })}`,
  });
}
