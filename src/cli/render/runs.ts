import { printable } from "../../base/printable.ts";
import type { RunAnswer } from "../../gateway/control-schema.ts";
import { tableLines, timeText } from "./table.ts";

/** A run, and the host it was on. */
export interface HostRun {
  readonly host: string;
  readonly run: RunAnswer;
}

const HEAD = ["RUN", "HOST", "AGENT", "TRIGGER", "OUTCOME", "CREATED", "TOOK", "TOKENS", "COST"];
const NONE = "-";

/** Runs as a table, a line each under a line of headings; empty for none. */
export function runTable(runs: readonly HostRun[]): string[] {
  if (runs.length === 0) return ["no runs yet"];
  return tableLines(
    HEAD,
    runs.map(({ host, run }) => cells(host, run)),
  );
}

/** `run 01K... of dev, under way for 12 min` */
export function runningText({ id, agent, state, startedAt }: RunAnswer, now: number): string {
  const what = `run ${id} of ${agent}`;
  if (startedAt === undefined) return `${what}, ${state}`;
  return `${what}, under way for ${spanText(now - startedAt)}`;
}

/** A stretch of time as people say it: `40 s`, `12 min`, `2 h 5 min`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds} s`;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes % 60} min`;
}

function cells(host: string, run: RunAnswer): string[] {
  const { id, agent, trigger, state, outcome, createdAt, usage } = run;
  return [
    ...[id, host, agent, trigger, outcome ?? state, timeText(createdAt), tookText(run)],
    usage ? String(usage.totalTokens) : NONE,
    usage ? `$${usage.cost.toFixed(4)}` : NONE,
  ];
}

/** All that is recorded of one run, a fact a line. */
export function runRecordLines(host: string, run: RunAnswer): string[] {
  const { outcome, state, exitCode, detail, usage, limits, credentialVersions = {} } = run;
  const facts: readonly [string, string | undefined][] = [
    ["run", run.id],
    ["agent", `${run.agent} on ${host}`],
    ["trigger", triggerText(run)],
    ["rerun of", run.rerunOf],
    ["created", timeText(run.createdAt)],
    ["started", run.startedAt === undefined ? undefined : timeText(run.startedAt)],
    ["ended", endedText(run)],
    ["outcome", `${outcome ?? state}${exitCode === undefined ? "" : `, exit ${exitCode}`}`],
    ["reason", detail],
    ["revision", run.revision],
    ["release", run.release],
    ["image", run.image && `${run.image} ${run.imageId ?? ""}`.trim()],
    ["tokens", usage && tokensText(usage)],
    ["cost", usage && `$${usage.cost.toFixed(4)}`],
    ["limits", limits && limitsText(limits)],
    ...Object.entries(credentialVersions).map(([name, version]): [string, string] => [
      "credential",
      `${name} version ${version}`,
    ]),
  ];
  return facts.flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [`${name.padEnd(12)}${printable(value)}`],
  );
}

/** `webhook github, by hand: ann@laptop` */
function triggerText({ trigger, source, caller, by }: RunAnswer): string {
  const whose = source ?? (caller === undefined ? "" : `by ${caller}`);
  const hand = by === undefined ? "" : `by hand: ${by}`;
  const text = [trigger, whose].filter((part) => part !== "").join(" ");
  return hand === "" ? text : `${text}, ${hand}`;
}

function tokensText(usage: NonNullable<RunAnswer["usage"]>): string {
  const { totalTokens, inputTokens, outputTokens, cacheReadTokens, turnCount } = usage;
  const parts = `${inputTokens} in, ${outputTokens} out, ${cacheReadTokens} from the cache`;
  return `${totalTokens}: ${parts}; ${turnCount} turns`;
}

function limitsText(limits: NonNullable<RunAnswer["limits"]>): string {
  return Object.entries(limits)
    .map(([name, most]) => `${name} ${most}`)
    .join(", ");
}

function endedText(run: RunAnswer): string | undefined {
  if (run.endedAt === undefined) return undefined;
  return `${timeText(run.endedAt)} (after ${tookText(run)})`;
}

function tookText({ startedAt, endedAt }: RunAnswer): string {
  if (startedAt === undefined || endedAt === undefined) return NONE;
  return `${((endedAt - startedAt) / 1000).toFixed(1)} s`;
}
