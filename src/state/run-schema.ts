import { SCHEDULE_MIGRATION } from "./schedule-schema.ts";
import type { Migration } from "./sqlite.ts";
import { WEBHOOK_MIGRATION } from "./webhook-schema.ts";

/** The runtime's tables. Add to the end; a released line is never changed. */
export const RUN_MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE runs (
     id TEXT PRIMARY KEY,
     agent TEXT NOT NULL,
     trigger TEXT NOT NULL,
     key TEXT UNIQUE,
     state TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'running', 'finished')),
     created_at INTEGER NOT NULL,
     rerun_of TEXT,
     reruns INTEGER NOT NULL,
     revision TEXT,
     release TEXT,
     image TEXT,
     credentials TEXT,
     container TEXT,
     timeout_seconds INTEGER,
     secret_hash TEXT,
     started_at INTEGER,
     kill_reason TEXT,
     ended_at INTEGER,
     outcome TEXT,
     exit_code INTEGER,
     detail TEXT
   ) STRICT;
   CREATE INDEX runs_by_agent ON runs (agent, id);
   CREATE INDEX runs_unfinished ON runs (id) WHERE state <> 'finished';
   CREATE INDEX runs_by_secret ON runs (secret_hash) WHERE state <> 'finished';`,
  `ALTER TABLE runs ADD COLUMN kill_detail TEXT;
   ALTER TABLE runs ADD COLUMN status_text TEXT;
   ALTER TABLE runs ADD COLUMN rerun_asked INTEGER NOT NULL DEFAULT 0;
   CREATE TABLE return_values (
     run TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
     value TEXT NOT NULL
   ) STRICT;
   CREATE TABLE locks (
     resource_key TEXT PRIMARY KEY,
     run TEXT NOT NULL UNIQUE REFERENCES runs (id) ON DELETE CASCADE,
     held_since INTEGER NOT NULL,
     expires_at INTEGER NOT NULL
   ) STRICT;
   CREATE TRIGGER locks_end_with_their_run AFTER UPDATE OF state ON runs
   WHEN NEW.state = 'finished' BEGIN DELETE FROM locks WHERE run = NEW.id; END;`,
  `CREATE TABLE run_contexts (
     run TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
     context TEXT NOT NULL
   ) STRICT;`,
  `ALTER TABLE runs ADD COLUMN limits TEXT;
   ALTER TABLE runs ADD COLUMN usage TEXT;
   CREATE INDEX runs_by_start ON runs (agent, started_at);`,
  "ALTER TABLE runs ADD COLUMN made TEXT;",
  WEBHOOK_MIGRATION,
  SCHEDULE_MIGRATION,
  "CREATE INDEX runs_by_end ON runs (ended_at, id) WHERE state = 'finished';",
  // The index holds what it held and the costs, so that it serves an older version as well.
  `ALTER TABLE runs ADD COLUMN cost REAL
     AS (CAST(CASE WHEN json_valid(usage) THEN usage ->> '$.cost' END AS REAL)) VIRTUAL;
   DROP INDEX runs_by_start;
   CREATE INDEX runs_by_start ON runs (agent, started_at, cost) WHERE started_at IS NOT NULL;`,
];
