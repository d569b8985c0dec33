import { assertNever } from "../../base/assert-never.ts";
import { counted } from "../../core/counted.ts";
import type { MachinePlan } from "../../core/machine.ts";
import type { HostProvision } from "../../provisioning/host-provision.ts";
import type {
  HostOrder,
  ProvisionedHost,
  ProvisionStep,
} from "../../provisioning/provision-host.ts";
import { errorRecord, errorText } from "./output.ts";

/** What a provisioning would do for each host, and what that costs, for a person. */
export function provisionPlanLines(plans: readonly HostProvision[]): string[] {
  const monthly = monthlyUsd(plans);
  const orders = plans.filter((one) => planOf(one) !== undefined).length;
  return [
    ...plans.flatMap(hostLines),
    ...(orders === 0
      ? []
      : [`${counted(orders, "new machine")}: ${dollars(monthly)} a month, from now on`]),
  ];
}

/** The same for machines. */
export function provisionPlanRecord(plans: readonly HostProvision[]): Record<string, unknown> {
  const hosts = plans.map((one) => {
    const { kind, order } = one;
    const { host, user, machine, isPublic } = order;
    const base = { host, action: kind, user, machine, isPublic };
    switch (one.kind) {
      case "create":
      case "continue":
        return { ...base, plan: one.plan };
      case "update": {
        const { instanceId, differs, firewall, isOutside, isLockStale } = one;
        return { ...base, instanceId, differs, firewall, isOutside, isLockStale };
      }
      case "ready":
        return { ...base, instanceId: one.instanceId, differs: one.differs };
      case "elsewhere":
        return { ...base, instanceId: one.instanceId, isGone: one.isGone };
      case "refused":
        return { ...base, error: errorRecord(one.error) };
      default:
        return assertNever(one);
    }
  });
  return { kind: "provision-plan", hosts, monthlyUsd: monthlyUsd(plans) };
}

/** What new machines cost in a month; one that is there is paid for already. */
function monthlyUsd(plans: readonly HostProvision[]): number {
  return plans.reduce((sum, one) => sum + (planOf(one)?.monthlyUsd ?? 0), 0);
}

/** What may be ordered: an order that was cut off may have been carried out. */
function planOf(one: HostProvision): MachinePlan | undefined {
  return one.kind === "create" || one.kind === "continue" ? one.plan : undefined;
}

function hostLines(one: HostProvision): string[] {
  const { host } = one.order;
  switch (one.kind) {
    case "create":
      return [`${host}: a new machine`, ...machineLines(one)];
    case "continue":
      return [`${host}: goes on where an earlier provisioning was cut off`, ...machineLines(one)];
    case "update":
      return [`${host}: is brought up to date`, ...updateLines(one), ...differenceLines(one)];
    case "ready":
      return [
        `${host}: is ready; its firewall lets in ${openText(one.order)}`,
        ...differenceLines(one),
      ];
    case "elsewhere":
      return [`${host}: has ${elsewhereText({ ...one, host })}`];
    case "refused":
      return [`${host}: ${errorText(one.error).replace("\n", "\n  ")}`];
    default:
      return assertNever(one);
  }
}

/** A machine of fleet.lock.toml that nobody here ordered, and what can be done about it. */
export function elsewhereText({
  host,
  instanceId,
  isGone,
}: {
  readonly host: string;
  readonly instanceId: string;
  readonly isGone: boolean;
}): string {
  return isGone
    ? `machine ${instanceId}, which was not made from here and is not in the account of your key: if it was removed, take [hosts.${host}] out of fleet.lock.toml, then: al provision ${host}`
    : `machine ${instanceId}, which was not made from here: left alone. To deploy to it: al approve. Who ordered it gives it back: al deprovision ${host}`;
}

function machineLines({
  order,
  plan,
}: Extract<HostProvision, { kind: "create" | "continue" }>): string[] {
  if (!plan) return [];
  const { region, os, tags, ipv6 } = order.machine;
  const tagged = tags.length > 0 ? `, tags ${tags.join(", ")}` : "";
  return [
    `  vultr ${region}, ${os}, plan ${planText(plan)}`,
    `  user ${order.user}, ${ipv6 ? "IPv4 and IPv6" : "IPv4"}${tagged}`,
    `  a firewall that lets in ${openText(order)}`,
  ];
}

/** A plan with its size and price. */
export function planText({ id, cpus, memoryMb, diskGb, monthlyUsd: usd }: MachinePlan): string {
  const size = `${counted(cpus, "CPU")}, ${memoryMb} MB, ${diskGb} GB disk`;
  return `${id}: ${size}, ${dollars(usd)} a month`;
}

function openText({ machine: { sshFrom }, isPublic }: HostOrder): string {
  const ssh = `SSH from ${sshFrom?.join(", ") ?? "everywhere"}`;
  return isPublic ? `${ssh}; HTTP and HTTPS from everywhere` : ssh;
}

function updateLines({
  firewall: { missing, extra },
  isOutside,
  isLockStale,
}: Extract<HostProvision, { kind: "update" }>): string[] {
  const opened = missing.map(({ protocol, port, from }) => `${protocol} ${port} from ${from}`);
  return [
    ...(opened.length === 0 ? [] : [`  its firewall lets in ${opened.join(", ")}, too`]),
    ...(extra.length === 0 ? [] : [`  its firewall no longer lets in ${extra.join(", ")}`]),
    ...(isOutside ? ["  it is put behind its firewall, which it is not"] : []),
    ...(isLockStale ? ["  fleet.lock.toml gets what is known of it"] : []),
  ];
}

function differenceLines({ order: { host }, differs }: Ready): string[] {
  if (differs.length === 0) return [];
  return [
    ...differs.map(
      ({ field, is, wanted }) => `  its ${field} is ${is}; fleet.toml asks for ${wanted}`,
    ),
    `  a machine stays as it was made: take fleet.toml back, or make another one: al deprovision ${host}, then al provision ${host}`,
  ];
}

type Ready = Extract<HostProvision, { kind: "ready" | "update" }>;

/** What a host is being given, or waits for. */
export function provisionStepLine(host: string, step: ProvisionStep, waitsFor?: string): string {
  const waiting = waitsFor === undefined ? "" : `, waiting for ${waitsFor}`;
  return `${host}: ${STEPS[step]}${waiting}`;
}

const STEPS: Readonly<Record<ProvisionStep, string>> = {
  firewall: "setting up its firewall",
  machine: "ordering its machine",
  boot: "the machine boots",
  "first-boot": "the machine sets itself up",
  done: "ready",
};

/** A host that has its machine, and those that its address was taken from in fleet.lock.toml. */
export function provisionedLines(
  { host, address, ipv6, instanceId, hostKey }: ProvisionedHost,
  replaced: readonly string[],
): string[] {
  const at = ipv6 === undefined ? address : `${address} and ${ipv6}`;
  return [
    `${host}: ready at ${at}, machine ${instanceId}`,
    `  host key ${hostKey}`,
    ...replaced.map(
      (other) =>
        `  fleet.lock.toml had this address for ${other}, which it no longer names: al provision ${other}`,
    ),
  ];
}

function dollars(usd: number): string {
  return `$${usd.toFixed(2)}`;
}
