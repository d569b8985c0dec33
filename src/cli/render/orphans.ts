import type { LeftOrder, Orphan } from "../../provisioning/orphans.ts";

/** Something of ours at a provider that no host has, and whether it would be removed. */
export function orphanLine(orphan: Orphan, goes: boolean): string {
  const { host } = orphan;
  if (orphan.kind === "order") return leftLine({ host, instanceId: undefined });
  if (orphan.kind !== "machine") {
    const what = orphan.kind === "firewall" ? "firewall" : "SSH key";
    return `${what} ${orphan.item.name}: ${goes ? "no host has it" : `of host ${host}, whose machine stays`}`;
  }
  const { id, address = "no address", region, plan, createdAtMs } = orphan.machine;
  if (orphan.why === "left") return leftLine({ host, instanceId: id });
  const made = new Date(createdAtMs).toISOString();
  const about = `machine ${id} (${address}, ${region}, ${plan}), made ${made} for host ${host}`;
  if (orphan.why === "surplus") return `${about}: the host has another one`;
  const hint = goes ? "" : `; another operator's? To remove it: al provision --gc ${id}`;
  return `${about}: not ordered from here${hint}`;
}

/** What is paid for although its host left fleet.toml, and what to do about it. */
export function leftLine({ host, instanceId }: LeftOrder): string {
  const of = `host ${host}, which fleet.toml no longer asks for`;
  return instanceId === undefined
    ? `what was ordered for ${of}, may still be paid for: al deprovision ${host}`
    : `machine ${instanceId} of ${of}, is still paid for: al deprovision ${host}`;
}

/** An orphan, for machines. */
export function orphanRecord(orphan: Orphan): Record<string, unknown> {
  const { kind, host } = orphan;
  if (orphan.kind === "order") return { kind, host };
  if (orphan.kind !== "machine") return { kind, host, ...orphan.item };
  const { id, address, region, plan, createdAtMs } = orphan.machine;
  return { kind, host, id, address, region, plan, createdAtMs, why: orphan.why };
}
