import { AlError } from "../../base/errors.ts";
import { checkAccount } from "../../provisioning/check-account.ts";
import {
  findOrphans,
  isRemovable,
  type KeptOrphan,
  type Orphan,
  type RemovableOrphan,
  removeOrphans,
} from "../../provisioning/orphans.ts";
import { askYes } from "../ask.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { openProvisioning } from "../open-provisioning.ts";
import { openLocked } from "../provisioning-lock.ts";
import type { Fleet } from "../read-fleet.ts";
import { orphanLine, orphanRecord } from "../render/orphans.ts";
import { readWorkingFleet } from "../working-copy.ts";

/** What `al provision --gc` may be told. */
export interface GcFlags {
  /** Id of a machine that nobody here ordered, and that is to go too. */
  readonly machine?: string | undefined;
  /** Do it without asking. */
  readonly yes: boolean;
}

/**
 * `al provision --gc`: lists what this project left at the provider, and removes what is certainly
 * ours once the operator agrees. A machine that nobody here ordered goes only when its id is given.
 */
export async function provisionGc(
  context: CliContext,
  { machine, yes }: GcFlags,
  open: typeof openProvisioning = openProvisioning,
): Promise<number> {
  const { output, interactive, signal } = context;
  const fleet = await readWorkingFleet(context);
  const { name } = fleet.file.project;
  const access = yes || interactive ? "write" : "read";
  const { deps, close } = await openLocked(context, { project: name, access }, open);
  try {
    await checkAccount(deps, { signal });
    const orphans = await findOrphans(keptBy(fleet), deps, { signal });
    const meant = orphansMeant(orphans, machine);
    const going = new Set<Orphan>(meant);
    output.record({
      kind: "orphans",
      orphans: orphans.map((one) => ({ ...orphanRecord(one), goes: going.has(one) })),
    });
    for (const orphan of orphans) output.line(orphanLine(orphan, going.has(orphan)));
    if (orphans.length === 0) output.line(`nothing of ${name} is left behind`);
    if (meant.length === 0) return EXIT.done;
    if (!yes && !interactive) {
      output.line(
        `to remove it: al provision --gc ${machine === undefined ? "" : `${machine} `}--yes`,
      );
      return EXIT.changes;
    }
    if (!yes && !(await askYes("remove this, with all data of machines?"))) return EXIT.error;
    const left = await removeOrphans(meant, deps.provider, { signal });
    const gone = meant.filter((one) => !left.some(({ orphan }) => orphan === one));
    output.record({ kind: "removed", orphans: gone.map(orphanRecord) });
    if (gone.length > 0) output.line(left.length > 0 ? "the others are removed" : "removed");
    for (const one of left) output.fail(notRemoved(one));
    return left.length > 0 ? EXIT.error : EXIT.done;
  } finally {
    close();
  }
}

function keptBy({ file, hosts, locked }: Fleet) {
  return {
    project: file.project.name,
    hosts: hosts.map(({ host }) => host),
    machineHosts: hosts.flatMap(({ host, provider }) => (provider === "vultr" ? [host] : [])),
    machineIds: Object.values(locked).flatMap(({ instanceId }) => instanceId ?? []),
  };
}

/** What is certainly ours, and the machine that was named. Firewalls and keys of a host whose machine stays do so too. */
function orphansMeant(
  orphans: readonly Orphan[],
  machine: string | undefined,
): readonly RemovableOrphan[] {
  const removable = orphans.filter(isRemovable);
  const isNamed = (one: Orphan) => one.kind === "machine" && one.machine.id === machine;
  if (machine !== undefined && !removable.some(isNamed)) throw notAnOrphan(machine);
  const staying = removable.filter(
    (one) => one.kind === "machine" && one.why === "unknown" && !isNamed(one),
  );
  const hosts = new Set(staying.map(({ host }) => host));
  return removable.filter((one) =>
    one.kind === "machine" ? !staying.includes(one) : !hosts.has(one.host),
  );
}

function notRemoved({ orphan, error }: KeptOrphan): AlError {
  const what = orphan.kind === "machine" ? orphan.machine.id : orphan.item.name;
  const { code, blame, hint = "To try again: al provision --gc" } = error;
  const message = `${orphan.kind} ${what} was not removed: ${error.message}`;
  return new AlError(message, { code, blame, hint, cause: error });
}

function notAnOrphan(machine: string): AlError {
  return new AlError(`machine ${machine} is none that this project left behind`, {
    code: "not-an-orphan",
    blame: "user",
    hint: "See what was left behind: al provision --gc. A host's own machine is given back by: al deprovision <host>",
  });
}
