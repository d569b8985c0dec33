import { rm } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import {
  forgottenBefore,
  RECEIPT_RETENTION,
  RETURN_VALUE_MS,
  RUN_RETENTION,
  type RunRetention,
} from "../core/retention.ts";
import type { WebhookReceipts } from "../gateway/webhook-ports.ts";
import type { ReleasePort, RunStore } from "../schedule/ports.ts";
import type { RunUpkeep } from "../schedule/run-upkeep.ts";
import { pruneLogs } from "./prune-logs.ts";
import { logPath } from "./run-log-file.ts";

/** What is pruned, and by which clock. */
export interface Pruning {
  readonly projectDir: string;
  readonly store: Pick<RunStore, "get">;
  readonly upkeep: Omit<RunUpkeep, "restore">;
  readonly receipts: Pick<WebhookReceipts, "prune">;
  readonly releases: ReleasePort;
  readonly clock: Clock;
  readonly logger: Logger;
}

const HOUR_MS = 60 * 60 * 1000;
/** How much is forgotten at a time: whoever else has work to do waits no longer than for this. */
const BATCH = 50;

/** One kind of thing to forget: does a little of it, and tells whether there may be more. */
type Task = (retention: RunRetention) => Promise<boolean>;

/** Forgets what is past its retention, at once and then every hour; ends when aborted, and never rejects. */
export async function keepPruned(pruning: Pruning, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pruneOnce(pruning, signal);
    await pruning.clock.sleep(HOUR_MS, signal).catch(() => undefined);
  }
}

/**
 * Forgets what is past the live release's retention, little by little; nothing where none is live. What
 * fails is logged, and does not keep the rest.
 */
export async function pruneOnce(pruning: Pruning, signal: AbortSignal): Promise<void> {
  const { logger, releases } = pruning;
  const release = await releases.current().catch(() => undefined);
  if (!release) return;
  const { retention = RUN_RETENTION } = release.project;
  for (const [what, task] of tasksOf(pruning)) {
    try {
      while (!signal.aborted && (await task(retention))) await turn();
    } catch (thrown) {
      logger.error({ what, err: toAlError(thrown) }, "what is too old was not removed");
    }
  }
}

function tasksOf(pruning: Pruning): readonly (readonly [string, Task])[] {
  const { projectDir, store, upkeep, receipts, clock } = pruning;
  return [
    ["runs", (retention) => forgetRuns(pruning, retention)],
    [
      "logs",
      async (retention) => {
        const before = forgottenBefore(clock.now(), retention);
        await pruneLogs(projectDir, store, { bytes: retention.logBytes, before });
        return false;
      },
    ],
    [
      "return values",
      () => upkeep.forgetReturnValues({ before: clock.now() - RETURN_VALUE_MS, limit: BATCH }),
    ],
    [
      "webhook receipts",
      () => {
        const { ms, bodyBytes } = RECEIPT_RETENTION;
        return receipts.prune({ since: clock.now() - ms, bodyBytes, limit: BATCH });
      },
    ],
    ["space", () => upkeep.compact().then(() => false)],
  ];
}

/** The log goes first: a record without a log is found again, a log without a record only by its age. */
async function forgetRuns(
  { projectDir, upkeep, clock }: Pruning,
  retention: RunRetention,
): Promise<boolean> {
  const before = forgottenBefore(clock.now(), retention);
  const runs = await upkeep.forgettable({ before, limit: BATCH });
  for (const run of runs) await rm(logPath(projectDir, run), { force: true });
  await upkeep.forget(runs.map(({ id }) => id));
  return runs.length === BATCH;
}
