import type { Migration } from "./sqlite.ts";

/**
 * What the scheduler needs to go on where it was, one of `RUN_MIGRATIONS`: what operators hold, how far
 * each schedule is, whose turn it is (`turn` counts starts), and indexes that hold only what waits or
 * is active, so that a long queue and a long history cost a start nothing.
 */
export const SCHEDULE_MIGRATION: Migration = `
  CREATE TABLE holds (
    kind TEXT NOT NULL CHECK (kind IN ('paused', 'disabled')),
    agent TEXT NOT NULL,
    since INTEGER NOT NULL,
    by TEXT,
    PRIMARY KEY (kind, agent)
  ) STRICT;
  CREATE TABLE ticks (
    agent TEXT PRIMARY KEY,
    schedule TEXT NOT NULL,
    handled_until INTEGER NOT NULL
  ) STRICT;
  ALTER TABLE runs ADD COLUMN turn INTEGER;
  ALTER TABLE runs ADD COLUMN caller_run TEXT AS (trigger ->> '$.callerRun') VIRTUAL;
  CREATE INDEX runs_queued ON runs (agent, id) WHERE state = 'queued';
  CREATE INDEX runs_active ON runs (id) WHERE state IN ('starting', 'running');
  CREATE INDEX runs_called ON runs (caller_run, agent, id)
    WHERE state = 'queued' AND caller_run IS NOT NULL;
  CREATE INDEX runs_by_turn ON runs (turn) WHERE turn IS NOT NULL;
  CREATE INDEX runs_turn_of_agent ON runs (agent, turn) WHERE turn IS NOT NULL;`;
