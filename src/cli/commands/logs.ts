import { type LogEvent, type RunAnswer, RunsAnswer } from "../../gateway/control-schema.ts";
import type { CliContext } from "../context.ts";
import { ask, type ControlClient } from "../control-client.ts";
import { logPrinter, matches } from "../render/log-printer.ts";
import { isRunId } from "../run-id.ts";
import { askRuntimes, type RuntimeSelection, reportFailures } from "./each-runtime.ts";
import { findRun, unknownRun } from "./find-run.ts";
import type { LiveRuntime } from "./live-runtime.ts";
import { readLog } from "./read-log.ts";

/** Which logs to show, and what of them. */
export interface LogsOptions extends RuntimeSelection {
  /** By default the latest run of each host. */
  readonly run?: string | undefined;
  readonly follow: boolean;
  /** Only the last so many lines of each host; all when absent. */
  readonly lines?: number | undefined;
  /** Every run since then (ms), from then on. */
  readonly since?: number | undefined;
  readonly grep?: RegExp | undefined;
}

/** A runtime answers with so many runs at most. */
const MOST_RUNS = 1000;

/** `al logs [AGENT | RUN] [RUN]`: what runs wrote. */
export async function logs(context: CliContext, options: LogsOptions): Promise<number> {
  const answers = await askRuntimes(context, options, async (live, { hosts }) => {
    const runs = await chosenRuns(context, live, options);
    const style = { host: live.observed.host, prefixed: hosts > 1 };
    const show = logPrinter(context.output, style);
    if (runs.length > 0) await showRuns({ live, runs, show }, options, context.signal);
    return runs.length;
  });
  const code = reportFailures(context, answers);
  const none = answers.every((one) => one.kind === "answered" && one.answer === 0);
  if (none && options.run !== undefined) throw unknownRun(options.run);
  if (none) context.output.progress("there is no such run");
  return code;
}

/** The words of `al logs`: an agent, a run, or both. */
export function logsOf(words: readonly string[]): Pick<LogsOptions, "agent" | "run"> {
  const [first, second] = words;
  if (first !== undefined && second === undefined && isRunId(first)) return { run: first };
  return { agent: first, run: second };
}

/** The runs whose logs are asked for, oldest first. */
async function chosenRuns(
  { output, signal }: CliContext,
  live: LiveRuntime,
  { agent, run, since }: LogsOptions,
): Promise<readonly RunAnswer[]> {
  if (run !== undefined) {
    const found = await findRun(live, run, signal);
    return found && (agent === undefined || found.agent === agent) ? [found] : [];
  }
  const limit = since === undefined ? 1 : MOST_RUNS;
  const query = { limit: String(limit), ...(agent !== undefined && { agent }) };
  const get = (api: ControlClient) => api.control.runs.$get({ query });
  const answer = await ask(live, RunsAnswer, get, { signal });
  const latest = answer.runs.toReversed();
  if (since === undefined) return latest;
  const recent = latest.filter(({ endedAt = Infinity }) => endedAt >= since);
  if (recent.length === MOST_RUNS) {
    output.progress(`${live.observed.host}: only the latest ${MOST_RUNS} runs`);
  }
  return recent;
}

interface Shown {
  readonly live: LiveRuntime;
  readonly runs: readonly RunAnswer[];
  readonly show: (event: LogEvent) => void;
}

/** What is there of all runs, the last lines of it where only those are wanted; then the latest goes on. */
async function showRuns(
  { live, runs, show }: Shown,
  { follow, lines, since, grep }: LogsOptions,
  signal: AbortSignal,
): Promise<void> {
  const kept = lastLines(lines, show);
  // The runtime finds the last lines faster, where they are simply the last.
  const onlyLast = grep || runs.length > 1 ? undefined : lines;
  let last: LogEvent | undefined;
  for (const { agent, id } of runs) {
    last = undefined;
    const part = { agent, run: id, follow: false, since, lines: onlyLast };
    for await (const event of readLog(live, part, signal)) {
      last = event;
      if (matches(event, grep)) kept.add(event);
    }
  }
  kept.end();
  const latest = runs.at(-1);
  if (!follow || !latest || last?.kind === "end") return;
  const part = { agent: latest.agent, run: latest.id, follow, since, cursor: last?.cursor };
  for await (const event of readLog(live, part, signal)) if (matches(event, grep)) show(event);
}

/** Passes events on at once; or, with a count, at the end those that belong to the last so many lines. */
function lastLines(count: number | undefined, show: (event: LogEvent) => void) {
  const kept: LogEvent[] = [];
  let lines = 0;
  return {
    add(event: LogEvent) {
      if (count === undefined) return show(event);
      kept.push(event);
      if (event.kind === "line") lines += 1;
      while (lines > count) if (kept.shift()?.kind === "line") lines -= 1;
    },
    end() {
      for (const event of kept) show(event);
    },
  };
}
