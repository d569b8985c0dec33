import { RunsAnswer } from "../../gateway/control-schema.ts";
import type { CliContext } from "../context.ts";
import { ask, type ControlClient } from "../control-client.ts";
import { EXIT } from "../exit.ts";
import { runRecordLines, runTable } from "../render/runs.ts";
import { isRunId } from "../run-id.ts";
import { answered, askRuntimes, type RuntimeSelection, reportFailures } from "./each-runtime.ts";
import { findRun, unknownRun } from "./find-run.ts";

/** Which records `al runs` shows. */
export interface RunsOptions extends Omit<RuntimeSelection, "agent"> {
  /** An agent's name, or a run's id. */
  readonly what?: string | undefined;
  /** At most so many of each host. */
  readonly lines: number;
}

/** `al runs [AGENT | RUN]`: what is recorded of runs, the newest first, or all of one. */
export async function runs(context: CliContext, options: RunsOptions): Promise<number> {
  const { what } = options;
  return what !== undefined && isRunId(what)
    ? showRun(context, options, what)
    : listRuns(context, options);
}

/** Asks every host: an agent that has moved left its runs where they were. */
async function listRuns(context: CliContext, options: RunsOptions): Promise<number> {
  const { output, signal } = context;
  const { what: agent, lines } = options;
  const query = { limit: String(lines), ...(agent !== undefined && { agent }) };
  const answers = await askRuntimes(context, options, async (live) => {
    const get = (api: ControlClient) => api.control.runs.$get({ query });
    return (await ask(live, RunsAnswer, get, { signal })).runs;
  });
  const found = answered(answers).flatMap(({ host, answer }) =>
    answer.map((run) => ({ host, run })),
  );
  // Ids sort by the time of their acceptance.
  const newest = found.sort((a, b) => (a.run.id < b.run.id ? 1 : -1)).slice(0, lines);
  for (const { host, run } of newest) output.record({ kind: "run", host, ...run });
  for (const line of runTable(newest)) output.line(line);
  return reportFailures(context, answers);
}

async function showRun(context: CliContext, options: RunsOptions, id: string): Promise<number> {
  const { output, signal } = context;
  const answers = await askRuntimes(context, options, (live) => findRun(live, id, signal));
  for (const { host, answer } of answered(answers)) {
    if (!answer) continue;
    output.record({ kind: "run", host, ...answer });
    for (const line of runRecordLines(host, answer)) output.line(line);
    return EXIT.done;
  }
  if (answers.some(({ kind }) => kind === "failed")) return reportFailures(context, answers);
  throw unknownRun(id);
}
