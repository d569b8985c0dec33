import type { Run } from "../core/run.ts";
import type { Trigger } from "../core/trigger.ts";
import { all, type Prepare } from "./run-statements.ts";

/** As the partial indexes have it, which is how SQLite knows that it may use them. */
export const QUEUED = "state = 'queued'";

/** Goes from one waiting agent to the next by the index: the length of their queues does not matter. */
const HEADS = `
  WITH RECURSIVE waiting (agent) AS (
    SELECT min(agent) FROM runs WHERE ${QUEUED}
    UNION ALL
    SELECT (SELECT min(agent) FROM runs WHERE ${QUEUED} AND agent > waiting.agent)
    FROM waiting WHERE agent IS NOT NULL
  )
  SELECT runs.* FROM waiting
  JOIN runs ON id = (SELECT min(id) FROM runs WHERE ${QUEUED} AND agent = waiting.agent)
  WHERE waiting.agent IS NOT NULL
  ORDER BY (SELECT max(turn) FROM runs WHERE agent = waiting.agent AND turn IS NOT NULL), id`;

/** What of the RunStore port is about runs that wait or are active; each costs what it returns. */
export function queueOf(prepare: Prepare) {
  return {
    async active(): Promise<readonly Run[]> {
      return all(prepare("SELECT * FROM runs WHERE state IN ('starting', 'running') ORDER BY id"));
    },

    async heads(): Promise<readonly Run[]> {
      return all(prepare(HEADS));
    },

    async calledBy(run: string): Promise<readonly Run[]> {
      const oldest = `SELECT min(id) FROM runs WHERE ${QUEUED} AND caller_run = ? GROUP BY agent`;
      return all(prepare(`SELECT * FROM runs WHERE id IN (${oldest}) ORDER BY id`), run);
    },

    async countQueued({ agent, upTo = -1 }: { agent: string; upTo?: number }): Promise<number> {
      const some = `SELECT 1 FROM runs WHERE ${QUEUED} AND agent = ? LIMIT ?`;
      const row = prepare(`SELECT count(*) AS runs FROM (${some})`).get(agent, upTo);
      return (row as { runs: number }).runs;
    },

    async hasQueued(agent: string, kind: Trigger["kind"]): Promise<boolean> {
      const sql = `SELECT 1 FROM runs WHERE ${QUEUED} AND agent = ? AND trigger ->> '$.kind' = ?`;
      return prepare(`${sql} LIMIT 1`).get(agent, kind) !== undefined;
    },
  };
}
