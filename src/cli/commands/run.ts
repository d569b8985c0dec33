import { TriggerAnswer, type TriggerRequest } from "../../gateway/control-schema.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { ask, type ControlClient } from "../control-client.ts";
import { EXIT } from "../exit.ts";
import { logPrinter } from "../render/log-printer.ts";
import { readRunBody } from "../run-body.ts";
import { type LiveRuntime, placeOfAgent, withRuntime } from "./live-runtime.ts";
import { readLog } from "./read-log.ts";

/** Time for a body of 10 MB to get to a host. */
const TRIGGER_TIMEOUT_MS = 120_000;

/** How `al run` was asked. */
export interface RunOptions {
  /** Shows the log, and exits by the outcome. */
  readonly follow: boolean;
  /** On this machine under `al dev`, instead of the fleet. */
  readonly dev: boolean;
  /** On this host; by default the first one that has the agent. */
  readonly host?: string | undefined;
  /** File with a webhook's context. */
  readonly body?: string | undefined;
}

/** `al run AGENT`: triggers it by hand. */
export async function run(
  context: CliContext,
  agent: string,
  options: RunOptions,
): Promise<number> {
  const given = options.body === undefined ? undefined : await readRunBody(options.body);
  const request = { by: context.person, ...(given && { context: given }) };
  const place = await placeOfAgent(context, agent, options);
  const adapters = compose(context, place.project, { store: "read" });
  try {
    return await withRuntime(place, adapters, async (live) => {
      const runId = await trigger(context, live, { agent, request });
      context.output.progress(`run ${runId} of ${agent} on ${live.observed.host}`);
      context.output.record({ kind: "triggered", run: runId, agent, host: live.observed.host });
      if (!options.follow) {
        context.output.line(runId);
        return EXIT.done;
      }
      return followRun(context, live, { agent, run: runId });
    });
  } finally {
    adapters.close();
  }
}

async function followRun(
  { output, signal }: CliContext,
  live: LiveRuntime,
  run: { readonly agent: string; readonly run: string },
): Promise<number> {
  const show = logPrinter(output, { host: live.observed.host, prefixed: false });
  let outcome: string | undefined;
  for await (const event of readLog(live, { ...run, follow: true }, signal)) {
    show(event);
    if (event.kind === "end") outcome = event.run.outcome;
  }
  return outcome === "completed" || outcome === "rerun" ? EXIT.done : EXIT.error;
}

async function trigger(
  { signal }: CliContext,
  live: LiveRuntime,
  { agent, request }: { readonly agent: string; readonly request: TriggerRequest },
): Promise<string> {
  const post = (api: ControlClient) =>
    api.control.trigger[":agent"].$post({ param: { agent }, json: request });
  const options = { signal, timeoutMs: TRIGGER_TIMEOUT_MS };
  return (await ask(live, TriggerAnswer, post, options)).runId;
}
