import type { Clock } from "../base/clock.ts";
import type { Run } from "../core/run.ts";
import { type LogEvent, runAnswer } from "./control-schema.ts";
import type { LogsPort, RunsPort } from "./ports.ts";

const POLL_MS = 150;

/** Which part of a log to give. */
export interface LogEventOptions {
  /** Go on until the run ends. */
  readonly follow: boolean;
  /** Begin with the last so many lines; a cursor wins over it. Default: the beginning. */
  readonly lines: number | undefined;
  /** Byte position from an earlier event. */
  readonly cursor: number | undefined;
  /** Leaves out lines of an earlier time (ms). */
  readonly since?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * A run's output as events, `end` last once the run is over. Without `follow` it stops at the present
 * end of the log. Aborting ends it quietly.
 */
export async function* logEvents(
  { logs, runs, clock }: { logs: LogsPort; runs: RunsPort; clock: Clock },
  run: Run,
  { follow, lines, cursor, since = 0, signal }: LogEventOptions,
): AsyncGenerator<LogEvent> {
  let at = cursor ?? (lines === undefined ? 0 : await logs.tail(run, lines));
  while (!signal.aborted) {
    // Asked before reading: what a finished run wrote is all there.
    const latest = (await runs.get(run.id)) ?? run;
    for (let batch = await logs.read(run, at); batch.length > 0; batch = await logs.read(run, at)) {
      for (const line of batch) {
        at = line.cursor;
        // What has no readable time is shown rather than hidden.
        if (Date.parse(line.ts) < since) continue;
        yield { kind: "line", run: run.id, ...line };
      }
    }
    if (latest.state === "finished") {
      yield { kind: "end", run: runAnswer(latest), cursor: at };
      return;
    }
    if (!follow) return;
    await clock.sleep(POLL_MS, signal).catch(() => undefined);
  }
}
