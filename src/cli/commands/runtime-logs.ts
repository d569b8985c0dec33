import { AlError, hasCode } from "../../base/errors.ts";
import { RuntimeLogEvent } from "../../gateway/control-schema.ts";
import type { CliContext } from "../context.ts";
import { askLines, type ControlClient } from "../control-client.ts";
import { runtimeLogLine } from "../render/runtime-log.ts";
import { askRuntimes, type RuntimeSelection, reportFailures } from "./each-runtime.ts";
import type { LiveRuntime } from "./live-runtime.ts";

/** Which part of the runtimes' own logs to show. */
export interface RuntimeLogsOptions extends Omit<RuntimeSelection, "agent"> {
  /** Go on until interrupted. */
  readonly follow: boolean;
  /** Only the last so many lines of each host; all when absent. */
  readonly lines?: number | undefined;
  /** Only lines of this time (ms) and later. */
  readonly since?: number | undefined;
  readonly grep?: RegExp | undefined;
}

/** `al logs --scheduler`: what the selected hosts' runtimes say of themselves. */
export async function runtimeLogs(
  context: CliContext,
  options: RuntimeLogsOptions,
): Promise<number> {
  const { output, signal } = context;
  const answers = await askRuntimes(context, options, async (live, { hosts }) => {
    const { host } = live.observed;
    const prefix = hosts > 1 ? `${host} | ` : "";
    const show = (event: RuntimeLogEvent) => {
      output.record({ kind: "runtime-log", host, ...event });
      output.line(`${prefix}${runtimeLogLine(event)}`);
    };
    await showLog(live, options, { show, signal });
  });
  return reportFailures(context, answers);
}

/**
 * What is there, or the last lines of it; then what comes.
 * @throws AlError `log-left` (user) when interrupted, `log-cut-off` (transient) when the runtime ends.
 */
export async function showLog(
  live: LiveRuntime,
  { follow, lines = Infinity, since, grep }: RuntimeLogsOptions,
  { show, signal }: { show: (event: RuntimeLogEvent) => void; signal: AbortSignal },
): Promise<void> {
  const after = since === undefined ? {} : { after: String(since) };
  const isWanted = (event: RuntimeLogEvent) => grep?.test(runtimeLogLine(event)) ?? true;
  const kept: RuntimeLogEvent[] = [];
  let cursor = 0;
  for await (const event of readRuntimeLog(live, after, signal)) {
    cursor = event.cursor;
    if (isWanted(event)) kept.push(event);
    if (kept.length > lines) kept.shift();
  }
  for (const event of kept) show(event);
  if (!follow) return;
  const query = { ...after, cursor: String(cursor), follow: "1" };
  for await (const event of readRuntimeLog(live, query, signal)) {
    if (isWanted(event)) show(event);
  }
  throw noMore(live, "log-cut-off");
}

async function* readRuntimeLog(
  live: LiveRuntime,
  query: Record<string, string>,
  signal: AbortSignal,
): AsyncGenerator<RuntimeLogEvent> {
  const get = (api: ControlClient) => api.api.logs.scheduler.$get({ query });
  try {
    yield* askLines(live, RuntimeLogEvent, get, { signal });
  } catch (thrown) {
    if (signal.aborted) throw noMore(live, "log-left", thrown);
    throw hasCode(thrown, "cut-off") ? noMore(live, "log-cut-off", thrown) : thrown;
  }
}

function noMore(
  { observed: { host } }: LiveRuntime,
  code: "log-left" | "log-cut-off",
  cause?: unknown,
): AlError {
  const isLeft = code === "log-left";
  return new AlError(isLeft ? "interrupted" : `host ${host}: the runtime's log broke off`, {
    ...{ code, cause },
    blame: isLeft ? "user" : "transient",
    hint: "Look again: al logs --scheduler",
  });
}
