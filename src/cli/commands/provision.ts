import { join } from "node:path";
import { boundedRunner, settleBounded } from "../../base/concurrency.ts";
import { AlError, toAlError } from "../../base/errors.ts";
import { newFleetFile, withHost } from "../../config/edit-fleet.ts";
import type { ProjectConfig } from "../../config/project-config.ts";
import { checkAccount } from "../../provisioning/check-account.ts";
import type { HostProvision } from "../../provisioning/host-provision.ts";
import { leftOrders } from "../../provisioning/orphans.ts";
import { planProvision } from "../../provisioning/plan-provision.ts";
import {
  type HostOrder,
  type ProvisionedHost,
  provisionHost,
} from "../../provisioning/provision-host.ts";
import { askYes } from "../ask.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { writeLockedHost } from "../lock-file.ts";
import { openProvisioning, type Provisioning } from "../open-provisioning.ts";
import { pickMachine } from "../pick-machine.ts";
import { openLocked } from "../provisioning-lock.ts";
import { FLEET_FILE, readFleetText } from "../read-fleet.ts";
import { leftLine } from "../render/orphans.ts";
import {
  provisionedLines,
  provisionPlanLines,
  provisionPlanRecord,
  provisionStepLine,
} from "../render/provision.ts";
import { replaceFile } from "../replace-file.ts";
import { readWorkingConfig } from "../working-config.ts";

/** Machines that are made at the same time. */
const PARALLEL = 4;

/** What `al provision` may be told. */
export interface ProvisionFlags {
  /** Only this host; else all that have no machine yet. */
  readonly host?: string | undefined;
  /** Do it without asking. */
  readonly yes: boolean;
}

/**
 * `al provision`: makes the machines that hosts of fleet.toml ask for, once the operator agrees to what
 * they cost. fleet.toml is read as it is in the working tree, and fleet.lock.toml is written there.
 */
export async function provision(
  context: CliContext,
  flags: ProvisionFlags,
  open: typeof openProvisioning = openProvisioning,
): Promise<number> {
  const end = await provisionOnce(context, flags, open);
  if ("code" in end) return end.code;
  return provision(context, { ...flags, host: end.added }, open);
}

/** An exit code, or the host that was added to fleet.toml and is to be provisioned now. */
type End = { readonly code: number } | { readonly added: string };

async function provisionOnce(
  context: CliContext,
  { host, yes }: ProvisionFlags,
  open: typeof openProvisioning,
): Promise<End> {
  const { output, interactive, signal } = context;
  const config = await readWorkingConfig(context);
  const orders = ordersOf(config, host);
  const { name: project } = config;
  const access = yes || interactive ? "write" : "read";
  const machines = await openLocked(context, { project, access }, open);
  try {
    const account = await checkAccount(machines.deps, { signal });
    const locked = new Map(Object.entries(config.lockedHosts));
    const all = await planProvision(orders, { ...machines.deps, locked }, { signal });
    const plans = all.filter((one) => host !== undefined || isToldOf(one));
    output.record(provisionPlanRecord(plans));
    for (const line of provisionPlanLines(plans)) output.line(line);
    if (host === undefined) tellLeft(context, config, machines);
    if (plans.some(({ kind }) => kind === "refused")) return { code: EXIT.error };
    const wanted = plans.filter(({ kind }) => TO_DO.includes(kind));
    const isAsked = host === undefined && wanted.length === 0 && interactive && !yes;
    if (isAsked) {
      const added = await addHost(context, config, machines);
      if (added !== undefined) return { added };
    }
    if (wanted.length === 0) return { code: nothingToDo(context, plans, isAsked) };
    if (!yes && !interactive) return { code: sayHow(context, host) };
    if (!yes && !(await askYes("do this?"))) return { code: EXIT.error };
    if (account !== undefined) machines.deps.records.recordAccount(account);
    const code = await carryOut(context, wanted, machines);
    return { code: plans.some(isOther) ? EXIT.error : code };
  } finally {
    machines.close();
  }
}

/** Machines whose host left fleet.toml: nobody else would say that they are paid for. */
function tellLeft(
  { output }: CliContext,
  { machines }: ProjectConfig,
  { deps: { records } }: Provisioning,
): void {
  const left = leftOrders([...machines.keys()], records);
  if (left.length > 0) output.record({ kind: "left-orders", orders: left });
  for (const one of left) output.line(leftLine(one));
}

const NOTHING_MISSING = "no host of fleet.toml is without its machine";

const TO_DO: readonly HostProvision["kind"][] = ["create", "continue", "update"];

/** Where no host is named, those with nothing to do or to say are not listed. */
function isToldOf(one: HostProvision): boolean {
  return TO_DO.includes(one.kind) || one.kind === "refused" || isOther(one);
}

/** A machine that is not what fleet.toml asks for, or is none any more, waits for the operator. */
function isOther(one: HostProvision): boolean {
  if (one.kind === "elsewhere") return one.isGone;
  return (one.kind === "ready" || one.kind === "update") && one.differs.length > 0;
}

function ordersOf(config: ProjectConfig, only?: string): HostOrder[] {
  const { name: project, hosts, machines, gateway } = config;
  const orders = hosts.flatMap(({ host, user }): HostOrder[] => {
    const machine = machines.get(host);
    const isPublic = gateway.ingress?.host === host;
    return machine ? [{ project, host, user, machine, isPublic }] : [];
  });
  if (only === undefined) return orders;
  const named = orders.filter(({ host }) => host === only);
  if (named.length > 0) return named;
  const isThere = hosts.some(({ host }) => host === only);
  const names = orders.map(({ host }) => host).join(", ") || "none";
  throw new AlError(
    isThere ? `host ${only} is a machine that you have` : `no host ${only} is in fleet.toml`,
    {
      code: isThere ? "not-a-machine" : "unknown-host",
      blame: "user",
      hint: `Hosts whose machines are made: ${names}. A new one needs [hosts.${only}] with provider = "vultr", region and plan.`,
    },
  );
}

/** Asks what another host is to be, and writes it into fleet.toml; its name, unless that is left. */
async function addHost(
  { output, project: directory, signal }: CliContext,
  { name: projectName, hosts }: ProjectConfig,
  { deps }: Provisioning,
): Promise<string | undefined> {
  output.line(NOTHING_MISSING);
  if (!(await askYes("add a host?"))) return undefined;
  const { provider } = deps;
  const picked = await pickMachine({
    catalogue: await provider.catalogue({ signal }),
    taken: hosts.map(({ host }) => host),
    check: (choice) => provider.checkChoice(choice, { signal }),
  });
  if (!picked) return undefined;
  const { name, ...choice } = picked;
  const before = (await readFleetText(directory)) ?? newFleetFile(projectName);
  const text = withHost(before, name, { provider: provider.name, ...choice });
  await replaceFile(join(directory, FLEET_FILE), text);
  output.line(`[hosts.${name}] is in ${FLEET_FILE} now`);
  return name;
}

function nothingToDo(
  { output }: CliContext,
  plans: readonly HostProvision[],
  isSaid: boolean,
): number {
  if (plans.length === 0 && !isSaid) output.line(NOTHING_MISSING);
  return plans.some(isOther) ? EXIT.error : EXIT.done;
}

function sayHow({ output }: CliContext, host: string | undefined): number {
  output.line(`to do this: al provision ${host === undefined ? "" : `${host} `}--yes`);
  return EXIT.changes;
}

async function carryOut(
  context: CliContext,
  plans: readonly HostProvision[],
  { deps }: Provisioning,
): Promise<number> {
  const { output, signal, project } = context;
  const oneByOne = boundedRunner(1);
  const settled = await settleBounded(plans, PARALLEL, async ({ order }) => {
    const onStep = watchSteps(context, order.host);
    const made = await provisionHost(order, deps, { onStep, signal });
    const replaced = await oneByOne(() => writeLockedHost(project, made.host, factsOf(made)));
    output.record({ kind: "provisioned", ...made, replaced });
    for (const line of provisionedLines(made, replaced)) output.line(line);
  });
  const failed = settled.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
  for (const reason of failed)
    output.fail(signal.aborted ? interrupted(reason) : toAlError(reason));
  if (failed.length < plans.length) {
    output.line("commit fleet.toml and fleet.lock.toml; then: al apply");
  }
  return failed.length > 0 ? EXIT.error : EXIT.done;
}

function interrupted(cause: unknown): AlError {
  return new AlError("interrupted; what was begun is remembered", {
    code: "interrupted",
    blame: "user",
    hint: "Run the same command again to go on.",
    cause,
  });
}

function factsOf({ instanceId, address, port, user, hostKey }: ProvisionedHost) {
  return { instanceId, address, port, user, hostKey };
}

/** Says what happens to a host, each thing once. */
function watchSteps({ output }: CliContext, host: string) {
  let told = "";
  return (step: Parameters<typeof provisionStepLine>[1], waitsFor?: string) => {
    const line = provisionStepLine(host, step, waitsFor);
    if (line === told) return;
    told = line;
    output.record({ kind: "provisioning", host, step, waitsFor });
    output.progress(line);
  };
}
