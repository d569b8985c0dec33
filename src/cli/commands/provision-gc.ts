import { AlError } from "../../base/errors.ts";
import { checkAccount } from "../../provisioning/check-account.ts";
import { findOrphans, type Orphan, removeOrphans } from "../../provisioning/orphans.ts";
import { askYes } from "../ask.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { openProvisioning } from "../open-provisioning.ts";
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
  const { deps, close } = await open(context, name, "read");
  try {
    await checkAccount(deps, { signal });
    const orphans = await findOrphans(keptBy(fleet), deps, { signal });
    const meant = orphansMeant(orphans, machine);
    output.record({
      kind: "orphans",
      orphans: orphans.map((one) => ({ ...orphanRecord(one), goes: meant.includes(one) })),
    });
    for (const orphan of orphans) output.line(orphanLine(orphan, meant.includes(orphan)));
    if (orphans.length === 0) output.line(`nothing of ${name} is left behind`);
    if (meant.length === 0) return EXIT.done;
    if (!yes && !interactive) {
      output.line(
        `to remove it: al provision --gc ${machine === undefined ? "" : `${machine} `}--yes`,
      );
      return EXIT.changes;
    }
    if (!yes && !(await askYes("remove this, with all data of machines?"))) return EXIT.error;
    await removeOrphans(meant, deps.provider, { signal });
    output.record({ kind: "removed", orphans: meant.map(orphanRecord) });
    output.line("removed");
    return EXIT.done;
  } finally {
    close();
  }
}

function keptBy({ file, hosts, locked }: Fleet) {
  return {
    project: file.project.name,
    hosts: hosts.map(({ host }) => host),
    machineIds: Object.values(locked).flatMap(({ instanceId }) => instanceId ?? []),
  };
}

/** Firewalls and keys of a host whose machine stays do so too. */
function orphansMeant(orphans: readonly Orphan[], machine: string | undefined): readonly Orphan[] {
  const isKnown = (one: Orphan) => one.kind === "machine" && one.machine.id === machine;
  if (machine !== undefined && !orphans.some(isKnown)) throw notAnOrphan(machine);
  const staying = orphans.filter(
    (one) => one.kind === "machine" && one.why === "unknown" && !isKnown(one),
  );
  const hosts = new Set(staying.map(({ host }) => host));
  return orphans.filter((one) =>
    one.kind === "machine" ? !staying.includes(one) : !hosts.has(one.host),
  );
}

function notAnOrphan(machine: string): AlError {
  return new AlError(`machine ${machine} is none that this project left behind`, {
    code: "not-an-orphan",
    blame: "user",
    hint: "See what was left behind: al provision --gc. A host's own machine is given back by: al deprovision <host>",
  });
}
