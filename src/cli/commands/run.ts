import { TriggerAnswer } from "../../gateway/control-schema.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { followLog } from "./follow-log.ts";
import { placeOfAgent, withRuntime } from "./live-runtime.ts";

/** `al run AGENT`: triggers it by hand; with `follow` it shows the log and exits by the outcome. */
export async function run(
  context: CliContext,
  agent: string,
  options: { readonly follow: boolean; readonly dev: boolean },
): Promise<number> {
  const { output, signal } = context;
  const place = await placeOfAgent(context, agent, options);
  const adapters = compose(context, place.project, { store: "read" });
  try {
    return await withRuntime(place, adapters, async (live) => {
      const { control } = live.connection;
      const path = `/control/trigger/${agent}`;
      const answer = await control.call({ runtime: live.runtime, method: "POST", path, signal });
      const { runId } = TriggerAnswer.parse(answer);
      output.progress(`run ${runId} of ${agent} on ${live.observed.host}`);
      output.record({ kind: "triggered", run: runId, agent, host: live.observed.host });
      if (!options.follow) {
        output.line(runId);
        return EXIT.done;
      }
      const end = await followLog(context, live, { agent, run: runId, follow: true });
      return end?.outcome === "completed" ? EXIT.done : EXIT.error;
    });
  } finally {
    adapters.close();
  }
}
