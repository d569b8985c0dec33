import { counted } from "../../core/counted.ts";
import type { Placement } from "../../core/desired.ts";
import type { HostResult } from "../../core/pass.ts";

const OUTCOMES: Readonly<Record<HostResult["kind"], string>> = {
  applied: "confirmed",
  "in-sync": "in sync",
  planned: "to change",
  stopped: "stopped",
  cleaned: "cleaned",
  drifted: "drifted",
  waiting: "waiting for other hosts",
  "consent-needed": "waiting for consent",
  "approval-needed": "waiting for approval",
  "not-provisioned": "not provisioned",
  unreachable: "unreachable",
  failed: "failed",
};

/** A result's state in one or two words. */
export function outcomeWord(kind: HostResult["kind"]): string {
  return OUTCOMES[kind];
}

/** How many hosts had each outcome, for machines; only outcomes that occurred. */
export function outcomeCounts(results: readonly HostResult[]): Readonly<Record<string, number>> {
  const kinds = Object.keys(OUTCOMES) as HostResult["kind"][];
  const counts = kinds.map((kind) => [kind, results.filter((one) => one.kind === kind).length]);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}

/** `2 hosts: 1 confirmed, 1 unreachable`; nothing for a single host, whose own line says it. */
export function summaryLines(results: readonly HostResult[]): string[] {
  if (results.length < 2) return [];
  const counts = Object.entries(outcomeCounts(results)) as [HostResult["kind"], number][];
  const parts = counts.map(([kind, count]) => `${count} ${outcomeWord(kind)}`);
  return [`${counted(results.length, "host")}: ${parts.join(", ")}`];
}

/** Every agent with its hosts and the reason, one line each. */
export function placementLines(placements: readonly Placement[]): string[] {
  if (placements.length === 0) return [];
  return ["placement:", ...placements.map((placement) => `  ${placementLine(placement)}`)];
}

function placementLine({ agent, hosts, reason, note }: Placement): string {
  const where = hosts.length === 0 ? "nowhere" : hosts.join(", ");
  return `${agent}: ${where} (${reason})${note === undefined ? "" : `; ${note}`}`;
}
