import { systemClock } from "../../base/clock.ts";
import { AlError, hasCode, toAlError } from "../../base/errors.ts";
import type { CliContext } from "../context.ts";
import { drainText } from "../render/drain.ts";
import { whereFlags } from "../render/where-flags.ts";
import { askStatus, killRun, pause, queueOf, runsUnderWay } from "../steering.ts";
import type { LiveRuntime } from "./live-runtime.ts";

const POLL_MS = 1000;

/** Who drains a host, and hears of it. */
export type Drainer = Pick<CliContext, "output" | "person" | "signal">;

/**
 * Pauses a host and waits until no run is active there; with `kill` it kills them. True when nobody had
 * paused it before, so that whoever starts it again may let it go on.
 * @throws AlError `drain-left` when that is interrupted or fails: it stays paused.
 */
export async function drain(
  context: Drainer,
  live: LiveRuntime,
  options: { readonly kill: boolean; readonly dev: boolean },
): Promise<boolean> {
  const { signal, person } = context;
  const before = await askStatus(live, signal);
  await pause(live, { by: person }, signal);
  try {
    await untilIdle(context, live, options);
  } catch (thrown) {
    const where = whereFlags(live.observed.host, options.dev);
    throw left(live.observed.host, where, { thrown, isAborted: signal.aborted });
  }
  return before.paused === undefined;
}

async function untilIdle(
  { output, signal }: Drainer,
  live: LiveRuntime,
  { kill }: { readonly kill: boolean },
): Promise<void> {
  const { host } = live.observed;
  let told = "";
  for (;;) {
    const runs = await runsUnderWay(live, signal);
    if (runs.length === 0) return;
    const ids = runs.map(({ id }) => id);
    const queue = await queueOf(live, {}, signal);
    const { key, lines } = drainText({ host, runs, queue, now: systemClock.now() });
    if (key !== told) {
      output.record({ kind: "draining", host, runs: ids, queued: queue.length });
      for (const line of lines) output.progress(line);
    }
    told = key;
    if (kill) await killAll(live, ids, signal);
    await systemClock.sleep(POLL_MS, signal);
  }
}

/** What has ended meanwhile, or cannot be killed yet, is looked at again in the next round. */
async function killAll(
  live: LiveRuntime,
  runs: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const run of runs) {
    await killRun(live, run, signal).catch((thrown) => {
      if (!hasCode(thrown, "not-running")) throw thrown;
    });
  }
}

function left(
  host: string,
  where: string,
  { thrown, isAborted }: { readonly thrown: unknown; readonly isAborted: boolean },
): AlError {
  const cause = toAlError(thrown);
  const why = isAborted ? "runs are still active" : cause.message;
  return new AlError(`host ${host} is not stopped, and stays paused: ${why}`, {
    code: "drain-left",
    blame: isAborted ? "user" : cause.blame,
    cause,
    hint: `To let it go on: al resume ${where}; to stop it now: al stop ${where}`,
  });
}
