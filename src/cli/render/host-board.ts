import { assertNever } from "../../base/assert-never.ts";
import { counted } from "../../core/counted.ts";
import { shortHash } from "../../core/names.ts";
import type { HostResult, PassEvent } from "../../core/pass.ts";
import type { Step } from "../../core/plan.ts";
import { outcomeWord } from "./fleet.ts";
import { stoppedText } from "./holds.ts";
import { stepText } from "./results.ts";

/** One host on the board: what it is doing, and since when. */
interface Row {
  readonly host: string;
  readonly state: string;
  readonly detail: string;
  /** The step being carried out. */
  readonly step?: Step | undefined;
  readonly begunAtMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
}

/** What every host of a pass is doing, a line each. */
export interface HostBoard {
  begin(host: string, atMs: number): void;
  event(event: PassEvent): void;
  result(result: HostResult, atMs: number): void;
  /** Host, state, seconds and current step in columns; hosts at work first where not all fit. */
  lines(nowMs: number, height?: number): readonly string[];
}

/** A board on which all hosts wait. */
export function createHostBoard(hosts: readonly string[]): HostBoard {
  const rows = new Map<string, Row>();
  for (const host of hosts) rows.set(host, { host, state: "waiting", detail: "" });
  const change = (host: string, to: Partial<Row>) => {
    rows.set(host, { host, state: "", detail: "", ...rows.get(host), ...to });
  };
  const nameWidth = Math.max(0, ...hosts.map((host) => host.length));
  return {
    begin: (host, atMs) => change(host, { state: "connecting", detail: "", begunAtMs: atMs }),
    event(event) {
      const now = happening(event, rows.get(event.host)?.step);
      if (now) change(event.host, now);
    },
    result: (result, atMs) =>
      change(result.host, {
        state: QUESTIONS[result.kind] ?? outcomeWord(result.kind),
        detail: resultDetail(result),
        endedAtMs: atMs,
      }),
    lines(nowMs, height = Number.POSITIVE_INFINITY) {
      const all = [...rows.values()];
      const sorted = all.length > height ? all.sort((a, b) => rank(a) - rank(b)) : all;
      return sorted.map((row) => rowLine(row, { nameWidth, nowMs }));
    },
  };
}

/** What an event says of its host; undefined where it says nothing new. */
function happening(
  event: PassEvent,
  current: Step | undefined,
): Pick<Row, "state" | "detail" | "step"> | undefined {
  switch (event.kind) {
    case "observing":
      return { state: "observing", detail: "" };
    case "waiting-for-lock":
      return { state: "locking", detail: "" };
    case "action-started":
      return {
        state: "applying",
        detail: stepText(event.action.step),
        step: event.action.step,
      };
    case "action-progress":
      return { state: "applying", detail: progressDetail(event.text, current) };
    case "action-finished":
      return undefined;
    case "confirming":
      return { state: "confirming", detail: "" };
    case "rolling-back":
      return { state: "rolling back", detail: event.reason };
    default:
      return assertNever(event);
  }
}

/** The step, then what it is at; an image that the step names already is not named again. */
function progressDetail(text: string, step: Step | undefined): string {
  if (!step) return text;
  if (step.kind !== "deliver-image") return `${stepText(step)}: ${text}`;
  const { reference } = step.image;
  const named = [`image ${reference}: `, `${reference}: `].find((start) => text.startsWith(start));
  return `${stepText(step)}: ${text.slice(named?.length ?? 0)}`;
}

/** Outcomes that are too long for the column of states. */
const QUESTIONS: Partial<Readonly<Record<HostResult["kind"], string>>> = {
  "approval-needed": "approval?",
  "consent-needed": "consent?",
  waiting: "waiting",
  "not-provisioned": "no machine",
};

function resultDetail(result: HostResult): string {
  switch (result.kind) {
    case "in-sync":
      return "nothing to do";
    case "stopped":
      return stoppedText(result.stopped);
    case "planned":
    case "drifted":
      return counted(result.plan.actions.length, "action");
    case "applied":
      return `revision ${shortHash(result.plan.revision)}, ${counted(result.plan.actions.length, "action")}`;
    case "consent-needed":
      return `${counted(result.losses.length, "thing")} would go`;
    case "waiting":
      return result.moves.map(({ agent, to }) => `${agent} goes to ${to.join(", ")}`).join("; ");
    case "cleaned":
      return result.left.length === 0 ? "" : `${counted(result.left.length, "thing")} left`;
    case "approval-needed":
      return counted(result.approvals.length, "question");
    case "not-provisioned":
      return `al provision ${result.host}`;
    case "unreachable":
    case "failed":
      return (result.error.message.split("\n", 1)[0] ?? "").replace(`host ${result.host}: `, "");
    default:
      return assertNever(result);
  }
}

/** A host's place when there are more lines than rows: at work, waiting, done. */
function rank({ begunAtMs, endedAtMs }: Row): number {
  if (endedAtMs !== undefined) return 2;
  return begunAtMs === undefined ? 1 : 0;
}

const STATE_WIDTH = "rolling back".length;

function rowLine(row: Row, { nameWidth, nowMs }: { nameWidth: number; nowMs: number }): string {
  const { host, state, detail, begunAtMs, endedAtMs } = row;
  const seconds =
    begunAtMs === undefined
      ? ""
      : `${Math.max(0, Math.floor(((endedAtMs ?? nowMs) - begunAtMs) / 1000))} s`;
  const columns = [host.padEnd(nameWidth), state.padEnd(STATE_WIDTH), seconds.padStart(5)];
  return `${columns.join("  ")}  ${detail}`.trimEnd();
}
