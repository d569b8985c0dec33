import type { AlError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { counted } from "../../core/counted.ts";
import { foreignNotes } from "../../core/foreign.ts";
import { shortHash } from "../../core/names.ts";
import type { ObservedHost } from "../../core/observed.ts";
import { activeRuns } from "../../core/plan-removal.ts";
import type { Stopped } from "../../core/stopped.ts";
import type { AgentAnswer, RunAnswer, StatusAnswer } from "../../gateway/control-schema.ts";
import { heldText, stoppedText } from "./holds.ts";
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
  | {
      readonly kind: "stopped";
      readonly host: string;
      readonly observed: ObservedHost;
      readonly stopped: Stopped;
    }
  | { readonly kind: "unknown"; readonly host: string; readonly error: AlError };

/** A host's status for a person; `wanted` is the revision the project is at. */
export function statusLines(status: HostStatus, wanted: string): string[] {
  if (status.kind === "unknown") return [`${status.host}: ${errorText(status.error)}`];
  if (status.kind === "stopped") return stoppedLines(status, wanted);
  const { host, live } = status;
  const { ready, reason, revision } = live.report;
  const paused = live.paused ? `, ${heldText({ state: "paused" }, live.paused)}` : "";
  const state = ready ? `ready${paused}` : `not ready: ${reason ?? "no reason given"}${paused}`;
  return [
    `${host}: ${state}, ${revisionText(revision, wanted)}`,
    ...damageLines(live.report),
    ...live.agents.map((agent) => `  ${agentLine(agent)}`),
    ...live.runs.slice(0, SHOWN_RUNS).map((run) => `  ${runLine(run)}`),
    ...noteLines(status.observed),
  ];
}

function stoppedLines(
  { host, observed, stopped }: Extract<HostStatus, { kind: "stopped" }>,
  wanted: string,
): string[] {
  const { current } = observed;
  const at = current ? `, ${revisionText(current.revision, wanted)}` : "";
  const runs = activeRuns(observed);
  const isUp = observed.containers.some(
    ({ role, state }) => role === "runtime" && state === "running",
  );
  return [
    `${host}: ${stoppedText(stopped)}${at}`,
    ...(isUp ? ["  its runtime container still runs, and takes no trigger"] : []),
    ...(runs.length > 0 ? [`  under way: ${runs.join(", ")}`] : []),
    ...noteLines(observed),
  ];
}

function noteLines(observed: ObservedHost): string[] {
  return foreignNotes(observed, observed.inventory).map((note) => `  note: ${note}`);
}

/** How far a host is from the project's commit. */
function revisionText(revision: string, wanted: string): string {
  const behind = revision === wanted ? "" : ` (the project is at ${shortHash(wanted)})`;
  return `revision ${shortHash(revision)}${behind}`;
}

/** The same for machines. */
export function statusRecord(status: HostStatus): Record<string, unknown> {
  const { host } = status;
  if (status.kind === "unknown") return { host, error: errorRecord(status.error) };
  const { observed } = status;
  const { dockerVersion } = observed.facts;
  const rest = { dockerVersion, notes: foreignNotes(observed, observed.inventory) };
  if (status.kind === "live") return { host, ...status.live, ...rest };
  const { stopped } = status;
  return {
    host,
    stopped,
    revision: observed.current?.revision,
    underWay: activeRuns(observed),
    ...rest,
  };
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
  const { name, schedule, nextRunAt, running, queued, scale } = agent;
  if (scale === 0) return `${name}: disabled by scale = 0`;
  const next = nextRunAt === undefined ? "" : `, next ${new Date(nextRunAt).toISOString()}`;
  const when = schedule === undefined ? "no schedule" : `schedule "${schedule}"${next}`;
  const waiting = queued > 0 ? `, ${queued} queued` : "";
  return `${name}: ${when}, ${running}/${scale} running${waiting}${budgetText(agent)}${heldBack(agent)}`;
}

function heldBack({ paused, disabled }: AgentAnswer): string {
  const texts = [
    ...(disabled ? [heldText({ state: "disabled" }, disabled)] : []),
    ...(paused ? [heldText({ state: "paused" }, paused)] : []),
  ];
  return texts.map((text) => `; ${text}`).join("");
}

function budgetText({ today, overBudget }: AgentAnswer): string {
  if (overBudget !== undefined) return `; starts no run until tomorrow: ${overBudget}`;
  return today ? `, ${counted(today.runs, "run")} and $${today.cost.toFixed(4)} today` : "";
}
