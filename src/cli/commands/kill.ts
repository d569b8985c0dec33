import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { killLines } from "../render/kill.ts";
import { isRunId } from "../run-id.ts";
import { killAgent } from "../steering.ts";
import { answered, askRuntimes, type RuntimeSelection, reportFailures } from "./each-runtime.ts";
import { endRun } from "./end-run.ts";
import { unknownRun } from "./find-run.ts";

/** What `al kill` is about. */
export interface KillOptions extends Omit<RuntimeSelection, "agent"> {
  /** An agent's name, or a run's id. */
  readonly what: string;
  /** Of an agent: also drops what waits. */
  readonly queued: boolean;
}

/** `al kill AGENT|RUN`: ends runs at once. Exit code 1 when nothing was killed. */
export async function kill(context: CliContext, options: KillOptions): Promise<number> {
  return isRunId(options.what) ? killOne(context, options) : killAll(context, options);
}

/** Only one host has it, so that none need be named. */
async function killOne(
  context: CliContext,
  { what: run, dev, selection }: KillOptions,
): Promise<number> {
  const { output, signal } = context;
  const answers = await askRuntimes(context, { dev, selection }, (live) =>
    endRun(live, run, signal),
  );
  for (const { host, answer } of answered(answers)) {
    if (!answer) continue;
    const { ended, ...became } = answer;
    output.record({ kind: "killed", host, ...became });
    const over = `${host}: run ${run} of ${became.agent} has ended: ${ended}`;
    for (const line of ended ? [over] : killLines(host, became)) output.line(line);
    return became.killed.length + became.cancelled.length > 0 ? EXIT.done : EXIT.error;
  }
  if (answers.some(({ kind }) => kind === "failed")) return reportFailures(context, answers);
  throw unknownRun(run);
}

async function killAll(
  context: CliContext,
  { what: agent, queued, ...selection }: KillOptions,
): Promise<number> {
  const { output, person: by, signal } = context;
  const answers = await askRuntimes(context, { ...selection, agent }, (live) =>
    killAgent(live, { agent, queued, by }, signal),
  );
  for (const { host, answer } of answered(answers)) {
    output.record({ kind: "killed", host, ...answer });
    for (const line of killLines(host, answer)) output.line(line);
  }
  const code = reportFailures(context, answers);
  const ends = answered(answers).map(({ answer }) => answer);
  const some = ends.some(({ killed, cancelled }) => killed.length + cancelled.length > 0);
  return some && ends.every(({ failed }) => failed.length === 0) ? code : EXIT.error;
}
