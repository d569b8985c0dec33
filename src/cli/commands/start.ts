import type { CliContext } from "../context.ts";
import { startLines } from "../render/start.ts";
import { answered, askHosts, type RuntimeSelection, reportFailures } from "./each-runtime.ts";
import { startHost } from "./start-host.ts";

/** `al start`: starts the runtime of hosts that were stopped, and waits until it is ready. */
export async function start(context: CliContext, options: RuntimeSelection): Promise<number> {
  const { output } = context;
  const { dev } = options;
  const answers = await askHosts(context, options, (place, asked) =>
    startHost(context, place, { ...asked, dev }),
  );
  for (const { host, answer } of answered(answers)) {
    output.record({ kind: "started", host, ...answer });
    for (const line of startLines(host, answer, { dev })) output.line(line);
  }
  return reportFailures(context, answers);
}
