import type { AlError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { counted } from "../../core/counted.ts";
import { foreignNotes } from "../../core/foreign.ts";
import { shortHash } from "../../core/names.ts";
import type { ObservedHost } from "../../core/observed.ts";
import type { AgentAnswer, RunAnswer, StatusAnswer } from "../../gateway/control-schema.ts";
import { outcomeLine } from "./log-line.ts";
import { errorRecord, errorText } from "./output.ts";

const SHOWN_RUNS = 5;

/** What `al status` knows of one host. */
export type HostStatus =
  | {
      readonly kind: "live";
      readonly host: string;
      readonly observed: ObservedHost;
      readonly live: StatusAnswer;
    }
  | { readonly kind: "unknown"; readonly host: string; readonly error: AlError };

/** A host's status for a person; `wanted` is the revision the project is at. */
export function statusLines(status: HostStatus, wanted: string): string[] {
  if (status.kind === "unknown") return [`${status.host}: ${errorText(status.error)}`];
  const { host, live } = status;
  const { ready, reason, revision } = live.report;
  const behind = revision === wanted ? "" : ` (the project is at ${shortHash(wanted)})`;
  const state = ready ? "ready" : `not ready: ${reason ?? "no reason given"}`;
  return [
    `${host}: ${state}, revision ${shortHash(revision)}${behind}`,
    ...damageLines(live.report),
    ...live.agents.map((agent) => `  ${agentLine(agent)}`),
    ...live.runs.slice(0, SHOWN_RUNS).map((run) => `  ${runLine(run)}`),
    ...foreignIn(status).map((note) => `  note: ${note}`),
  ];
}

/** The same for machines. */
export function statusRecord(status: HostStatus): Record<string, unknown> {
  const { host } = status;
  if (status.kind === "unknown") return { host, error: errorRecord(status.error) };
  const { dockerVersion } = status.observed.facts;
  return { host, ...status.live, dockerVersion, notes: foreignIn(status) };
}

function foreignIn({ observed }: Extract<HostStatus, { kind: "live" }>): readonly string[] {
  return foreignNotes(observed, observed.inventory);
}

function damageLines({ damaged }: StatusAnswer["report"]): readonly string[] {
  if (!damaged) return [];
  const when = new Date(damaged.since).toISOString();
  return [
    `  damaged: its database was found damaged at ${when}; what could be read was carried over`,
    `    the damaged file is ${printable(damaged.file)}: remove it when nobody needs it any more`,
  ];
}

function runLine(run: RunAnswer): string {
  const said = run.statusText === undefined ? "" : ` (${printable(run.statusText)})`;
  return `${outcomeLine(run)}${said}`;
}

function agentLine(agent: AgentAnswer): string {
  const { name, schedule, nextRunAt, running, queued, enabled, scale } = agent;
  if (!enabled) return `${name}: disabled`;
  const next = nextRunAt === undefined ? "" : `, next ${new Date(nextRunAt).toISOString()}`;
  const when = schedule === undefined ? "no schedule" : `schedule "${schedule}"${next}`;
  const waiting = queued > 0 ? `, ${queued} queued` : "";
  return `${name}: ${when}, ${running}/${scale} running${waiting}${budgetText(agent)}`;
}

function budgetText({ today, overBudget }: AgentAnswer): string {
  if (overBudget !== undefined) return `; starts no run until tomorrow: ${overBudget}`;
  return today ? `, ${counted(today.runs, "run")} and $${today.cost.toFixed(4)} today` : "";
}
