import type { DatabaseSync } from "node:sqlite";
import type { FoundRun } from "../core/run.ts";

/** Upkeep of runs in SQLite (tables of `RUN_MIGRATIONS`): satisfies the scheduler's RunUpkeep port. */
export function createRunUpkeep(database: DatabaseSync) {
  const restore = database.prepare(
    `INSERT INTO runs (id, agent, trigger, state, created_at, reruns, revision, release, image,
     credentials, container, timeout_seconds, started_at)
     VALUES (?, ?, '{"kind":"lost"}', 'running', ?, 0, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET state = 'running', revision = excluded.revision,
     release = excluded.release, image = excluded.image, credentials = excluded.credentials,
     container = excluded.container, timeout_seconds = excluded.timeout_seconds,
     started_at = excluded.started_at WHERE state = 'queued'`,
  );
  return {
    async restore({ id, agent, createdAt, startedAt, start }: FoundRun): Promise<void> {
      const { revision, release, image, credentials, container, timeoutSeconds } = start;
      restore.run(
        ...[id, agent, createdAt, revision, release],
        ...[image, credentials, container, timeoutSeconds, startedAt],
      );
    },
  };
}
