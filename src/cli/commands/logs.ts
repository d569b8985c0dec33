import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { openProject } from "../project.ts";
import { followLog, type LogSelection } from "./follow-log.ts";
import { withAgentRuntime } from "./live-runtime.ts";

/** `al logs AGENT [RUN]`: the log of a run, by default the latest. */
export async function logs(context: CliContext, selection: LogSelection): Promise<number> {
  const project = await openProject(context);
  const adapters = compose(context, project.fleet.project);
  try {
    return await withAgentRuntime(project, adapters, selection.agent, async (live) => {
      await followLog(context, live, selection);
      return EXIT.done;
    });
  } finally {
    adapters.close();
  }
}
