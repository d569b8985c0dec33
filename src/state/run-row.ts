import type { KillReason, MadeFrom, Outcome, Run, RunState } from "../core/run.ts";
import type { RunLimits, TokenUsage } from "../core/run-limits.ts";
import type { TriggerFacts } from "../core/trigger.ts";

/** A line of the table `runs`. */
export interface RunRow {
  readonly id: string;
  readonly agent: string;
  readonly trigger: string;
  readonly state: string;
  readonly created_at: number;
  readonly rerun_of: string | null;
  readonly reruns: number;
  readonly revision: string | null;
  readonly release: string | null;
  readonly image: string | null;
  readonly credentials: string | null;
  readonly container: string | null;
  readonly timeout_seconds: number | null;
  readonly started_at: number | null;
  readonly kill_reason: string | null;
  readonly ended_at: number | null;
  readonly outcome: string | null;
  readonly exit_code: number | null;
  readonly detail: string | null;
  readonly kill_detail: string | null;
  readonly status_text: string | null;
  readonly rerun_asked: number;
  readonly limits: string | null;
  readonly usage: string | null;
  readonly made: string | null;
}

/** A run as the ports carry it: absent members instead of nulls. The secret's hash stays behind. */
export function runOf(row: RunRow): Run {
  return {
    id: row.id,
    agent: row.agent,
    trigger: JSON.parse(row.trigger) as TriggerFacts,
    state: row.state as RunState,
    createdAt: row.created_at,
    reruns: row.reruns,
    ...(row.rerun_of !== null && { rerunOf: row.rerun_of }),
    ...startOf(row),
    ...(row.made !== null && { made: JSON.parse(row.made) as MadeFrom }),
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.usage !== null && { usage: JSON.parse(row.usage) as TokenUsage }),
    ...(row.kill_reason !== null && { killReason: row.kill_reason as KillReason }),
    ...(row.kill_detail !== null && { killDetail: row.kill_detail }),
    ...(row.status_text !== null && { statusText: row.status_text }),
    ...(row.rerun_asked !== 0 && { rerunAsked: true }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.outcome !== null && { outcome: row.outcome as Outcome }),
    ...(row.exit_code !== null && { exitCode: row.exit_code }),
    ...(row.detail !== null && { detail: row.detail }),
  };
}

function startOf(row: RunRow) {
  if (row.container === null) return {};
  return {
    start: {
      revision: row.revision ?? "",
      release: row.release ?? "",
      image: row.image ?? "",
      credentials: row.credentials ?? "",
      container: row.container,
      timeoutSeconds: row.timeout_seconds ?? 0,
      ...(row.limits !== null && { limits: JSON.parse(row.limits) as RunLimits }),
    },
  };
}
