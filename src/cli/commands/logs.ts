import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { followLog, type LogSelection } from "./follow-log.ts";
import { placeOfAgent, withRuntime } from "./live-runtime.ts";

/** `al logs AGENT [RUN]`: the log of a run, by default the latest. */
export async function logs(
  context: CliContext,
  selection: LogSelection & { readonly dev: boolean },
): Promise<number> {
  const place = await placeOfAgent(context, selection.agent, selection);
  const adapters = compose(context, place.project, { store: "read" });
  try {
    return await withRuntime(place, adapters, async (live) => {
      await followLog(context, live, selection);
      return EXIT.done;
    });
  } finally {
    adapters.close();
  }
}
