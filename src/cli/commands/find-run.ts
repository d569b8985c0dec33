import { AlError, hasCode } from "../../base/errors.ts";
import { RunAnswer } from "../../gateway/control-schema.ts";
import { ask, type ControlClient, type Runtime } from "../control-client.ts";

/** A run by its id, if this runtime knows it. */
export async function findRun(
  live: Runtime,
  id: string,
  signal: AbortSignal,
): Promise<RunAnswer | undefined> {
  try {
    const param = { run: id };
    const get = (api: ControlClient) => api.control.runs[":run"].$get({ param });
    return await ask(live, RunAnswer, get, { signal });
  } catch (thrown) {
    if (hasCode(thrown, "unknown-run")) return undefined;
    throw thrown;
  }
}

/** The error for an id that no asked host knows. */
export function unknownRun(id: string): AlError {
  return new AlError(`no host knows a run ${id}`, {
    code: "unknown-run",
    blame: "user",
    hint: "List what there is: al runs",
  });
}
