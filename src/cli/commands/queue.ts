import { systemClock } from "../../base/clock.ts";
import type { CliContext } from "../context.ts";
import { queueTable } from "../render/queue.ts";
import { queueOf } from "../steering.ts";
import { answered, askRuntimes, type RuntimeSelection, reportFailures } from "./each-runtime.ts";

/** `al queue [AGENT]`: what waits on each host, in the order in which it starts. */
export async function queue(context: CliContext, options: RuntimeSelection): Promise<number> {
  const { output, signal } = context;
  const { agent, ...selection } = options;
  // What an agent left in the queue of a host that it has moved from is there all the same.
  const answers = await askRuntimes(context, selection, (live) => queueOf(live, { agent }, signal));
  const waiting = answered(answers).flatMap(({ host, answer }) =>
    answer.map((one) => ({ host, ...one })),
  );
  for (const { host, run, waitsFor } of waiting) {
    output.record({ kind: "queued", host, waitsFor, ...run });
  }
  for (const line of queueTable(waiting, systemClock.now())) output.line(line);
  return reportFailures(context, answers);
}
