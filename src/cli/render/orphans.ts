import type { Orphan } from "../../provisioning/orphans.ts";

/** Something of ours at a provider that no host has, and whether it would be removed. */
export function orphanLine(orphan: Orphan, goes: boolean): string {
  const { host } = orphan;
  if (orphan.kind !== "machine") {
    const what = orphan.kind === "firewall" ? "firewall" : "SSH key";
    return `${what} ${orphan.item.name}: ${goes ? "no host has it" : `of host ${host}, whose machine stays`}`;
  }
  const { id, address = "no address", region, plan, createdAtMs } = orphan.machine;
  const made = new Date(createdAtMs).toISOString();
  const about = `machine ${id} (${address}, ${region}, ${plan}), made ${made} for host ${host}`;
  if (orphan.why === "surplus") return `${about}: the host has another one`;
  const hint = goes ? "" : `; another operator's? To remove it: al provision --gc ${id}`;
  return `${about}: not ordered from here${hint}`;
}

/** The same for machines. */
export function orphanRecord(orphan: Orphan): Record<string, unknown> {
  const { kind, host } = orphan;
  if (orphan.kind !== "machine") return { kind, host, ...orphan.item };
  const { id, address, region, plan, createdAtMs } = orphan.machine;
  return { kind, host, id, address, region, plan, createdAtMs, why: orphan.why };
}
