import { systemClock } from "../../base/clock.ts";
import { AlError, hasCode } from "../../base/errors.ts";
import type { RunAnswer } from "../../gateway/control-schema.ts";
import type { CliContext } from "../context.ts";
import { drainText } from "../render/drain.ts";
import { askStatus, killRun, pause, queueOf, runsUnderWay } from "../steering.ts";
import type { LiveRuntime } from "./live-runtime.ts";

const POLL_MS = 1000;

/**
 * Pauses a host and waits until no run is active there; with `kill` it kills them. True when nobody had
 * paused it before, so that whoever starts it again may let it go on.
 * @throws AlError `drain-left` (user) when interrupted: it stays paused.
 */
export async function drain(
  context: CliContext,
  live: LiveRuntime,
  options: { readonly kill: boolean },
): Promise<boolean> {
  const { signal, person } = context;
  const before = await askStatus(live, signal);
  await pause(live, { by: person }, signal);
  try {
    await untilIdle(context, live, options);
  } catch (thrown) {
    throw signal.aborted ? left(live.observed.host) : thrown;
  }
  return before.paused === undefined;
}

async function untilIdle(
  { output, signal }: CliContext,
  live: LiveRuntime,
  { kill }: { readonly kill: boolean },
): Promise<void> {
  const { host } = live.observed;
  const killed = new Set<string>();
  let told = "";
  for (;;) {
    const runs = await runsUnderWay(live, signal);
    if (runs.length === 0) return;
    const queue = await queueOf(live, {}, signal);
    const text = drainText({ host, runs, queue, now: systemClock.now() });
    if (text.key !== told) {
      output.record({
        kind: "draining",
        host,
        runs: runs.map(({ id }) => id),
        queued: queue.length,
      });
      for (const line of text.lines) output.progress(line);
    }
    told = text.key;
    if (kill)
      await killAll(
        live,
        runs.filter(({ id }) => !killed.has(id)),
        signal,
      );
    if (kill) for (const { id } of runs) killed.add(id);
    await systemClock.sleep(POLL_MS, signal);
  }
}

async function killAll(
  live: LiveRuntime,
  runs: readonly RunAnswer[],
  signal: AbortSignal,
): Promise<void> {
  for (const { id } of runs) {
    // One that ended by itself meanwhile needs no killing.
    await killRun(live, id, signal).catch((thrown) => {
      if (!hasCode(thrown, "not-running")) throw thrown;
    });
  }
}

function left(host: string): AlError {
  return new AlError(`host ${host} is not stopped: runs are still active; it stays paused`, {
    code: "drain-left",
    blame: "user",
    hint: `To let it go on: al resume --host ${host}; to stop it now: al stop --host ${host}`,
  });
}
