import type { DatabaseSync } from "node:sqlite";
import type { FoundRun, Run } from "../core/run.ts";
import { inTransaction } from "./sqlite.ts";

interface Limits {
  readonly before: number;
  readonly limit: number;
}

/** Finished, and not called by a run that may still ask for its answer. */
const NOT_NEEDED = `runs.state = 'finished' AND runs.ended_at < ? AND NOT EXISTS (
  SELECT 1 FROM runs AS caller
  WHERE caller.id = runs.trigger ->> '$.callerRun' AND caller.state <> 'finished')`;

/** Upkeep of runs in SQLite (tables of `RUN_MIGRATIONS`): satisfies the scheduler's RunUpkeep port. */
export function createRunUpkeep(database: DatabaseSync) {
  const statements = prepareStatements(database);
  return {
    async restore({ id, agent, createdAt, startedAt, start }: FoundRun): Promise<void> {
      const { revision, release, image, credentials, container, timeoutSeconds } = start;
      statements.restore.run(
        ...[id, agent, createdAt, revision, release],
        ...[image, credentials, container, timeoutSeconds, startedAt],
      );
    },

    async forgettable({ before, limit }: Limits): Promise<readonly Pick<Run, "id" | "agent">[]> {
      const rows = statements.forgettable.all(before, limit);
      return rows.map(({ id, agent }) => ({ id: String(id), agent: String(agent) }));
    },

    async forget(ids: readonly string[]): Promise<void> {
      inTransaction(database, () => {
        for (const id of ids) statements.forget.run(id);
      });
    },

    async forgetReturnValues({ before, limit }: Limits): Promise<boolean> {
      return statements.forgetValues.run(before, limit).changes === limit;
    },

    async compact(): Promise<void> {
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    },
  };
}

function prepareStatements(database: DatabaseSync) {
  return {
    restore: database.prepare(
      `INSERT INTO runs (id, agent, trigger, state, created_at, reruns, revision, release, image,
       credentials, container, timeout_seconds, started_at)
       VALUES (?, ?, '{"kind":"lost"}', 'running', ?, 0, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET state = 'running', revision = excluded.revision,
       release = excluded.release, image = excluded.image, credentials = excluded.credentials,
       container = excluded.container, timeout_seconds = excluded.timeout_seconds,
       started_at = excluded.started_at WHERE state = 'queued'`,
    ),
    // Not by ids, which stay ahead of the time when the clock was ahead once.
    forgettable: database.prepare(
      `SELECT id, agent FROM runs INDEXED BY runs_by_end WHERE ${NOT_NEEDED}
       ORDER BY ended_at, id LIMIT ?`,
    ),
    // What refers to it goes with it.
    forget: database.prepare("DELETE FROM runs WHERE id = ? AND state = 'finished'"),
    // There are fewer of them than of runs that have ended; CROSS keeps SQLite to this order.
    forgetValues: database.prepare(
      `DELETE FROM return_values WHERE run IN (
         SELECT run FROM return_values CROSS JOIN runs ON runs.id = run
         WHERE ${NOT_NEEDED} LIMIT ?)`,
    ),
  };
}
