import type { Run } from "../core/run.ts";
import { retry, stubborn } from "./retry.ts";
import type { RunLifePorts } from "./run-life.ts";

/** The agent ends itself at its timeout; this much later we do. */
const GRACE_MS = 60_000;

/**
 * Kills a run that has exceeded its timeout, by a clock that does not jump. How much of it passed under
 * an earlier process is known from the wall clock only. Rejects when aborted.
 */
export async function enforceTimeout(
  ports: RunLifePorts,
  run: Run & { readonly startedAt: number },
  signal: AbortSignal,
): Promise<void> {
  const { clock, steady, store, runner, logger } = ports;
  const spent = Math.max(0, clock.now() - run.startedAt);
  const deadline = steady.now() + (run.start?.timeoutSeconds ?? 0) * 1000 + GRACE_MS - spent;
  for (let left = deadline - steady.now(); left > 0; left = deadline - steady.now()) {
    // A timer cannot wait longer than 2^31 ms.
    await steady.sleep(Math.min(left, 86_400_000), signal);
  }
  logger.warn({ run: run.id, agent: run.agent }, "run exceeded its timeout and is killed");
  await store.killing(run.id, { reason: "timed-out" });
  await retry(() => runner.kill(run, signal), stubborn(ports, run, signal));
}
