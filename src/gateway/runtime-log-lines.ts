import type { Clock } from "../base/clock.ts";
import type { RuntimeLogEvent } from "./control-schema.ts";
import type { RuntimeLogLine, RuntimeLogPort } from "./ports.ts";

const POLL_MS = 500;

/** Which part of the log to give. */
export interface RuntimeLogOptions {
  /** Go on until `before`, or for ever. */
  readonly follow: boolean;
  /** Only the last so many of what is there; all by default. */
  readonly lines: number | undefined;
  /** From an earlier line; 0 for the oldest. */
  readonly cursor: number;
  /** Only lines of this time (ms) and later. */
  readonly after?: number | undefined;
  /** Only lines from before this time (ms). */
  readonly before?: number | undefined;
  readonly signal: AbortSignal;
}

/** Lines of the runtime's own log, the oldest first. Aborting ends it quietly. */
export async function* runtimeLogLines(
  { runtimeLog, clock }: { readonly runtimeLog: RuntimeLogPort; readonly clock: Clock },
  { follow, lines = Infinity, cursor, after = 0, before = Infinity, signal }: RuntimeLogOptions,
): AsyncGenerator<RuntimeLogEvent> {
  const isWhole = cursor === 0 && after === 0 && before === Infinity;
  const wanted = ({ time }: RuntimeLogLine) => time >= after && time < before;
  // Without another choice to make, what comes before the last lines need not be read.
  let at = isWhole && lines !== Infinity ? await runtimeLog.tail(lines) : cursor;
  const read = async () => {
    const batch = signal.aborted ? [] : await runtimeLog.read(at);
    at = batch.at(-1)?.cursor ?? at;
    return batch;
  };
  const last: RuntimeLogLine[] = [];
  for (let batch = await read(); batch.length > 0; batch = await read()) {
    if (lines === Infinity) yield* shown(batch.filter(wanted));
    else last.push(...batch.filter(wanted));
    if (last.length > lines) last.splice(0, last.length - lines);
  }
  yield* shown(last);
  while (follow && !signal.aborted && clock.now() < before) {
    await clock.sleep(POLL_MS, signal).catch(() => undefined);
    for (let batch = await read(); batch.length > 0; batch = await read()) {
      yield* shown(batch.filter(wanted));
    }
  }
}

function shown(lines: readonly RuntimeLogLine[]): RuntimeLogEvent[] {
  return lines.map((line) => ({ ...line, fields: { ...line.fields } }));
}
