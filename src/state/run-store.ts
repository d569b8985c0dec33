import type { DatabaseSync } from "node:sqlite";
import { AlError } from "../base/errors.ts";
import type {
  FinishedRun,
  KillOrder,
  MadeFrom,
  NewRun,
  Run,
  RunFilter,
  StartIntent,
} from "../core/run.ts";
import type { DayUse, TokenUsage } from "../core/run-limits.ts";
import { joinTrigger, splitTrigger, type Trigger, type TriggerFacts } from "../core/trigger.ts";
import { QUEUED, queueOf } from "./run-queue-store.ts";
import { all, one, type Prepare, statementCache } from "./run-statements.ts";
import { inTransaction } from "./sqlite.ts";

const UNFINISHED = "state <> 'finished'";
const NEXT_TURN = "(SELECT coalesce(max(turn), 0) + 1 FROM runs WHERE turn IS NOT NULL)";

/** Runs in SQLite (tables of `RUN_MIGRATIONS`): satisfies the scheduler's RunStore port. */
export function createRunStore(database: DatabaseSync) {
  const prepare = statementCache(database);
  return {
    async accept(run: NewRun): Promise<boolean> {
      return inTransaction(database, () => insert(prepare, run));
    },

    /** The same inside of a transaction of the caller's, with this store's database. */
    enqueue: (run: NewRun): boolean => insert(prepare, run),

    async starting(id: string, intent: StartIntent): Promise<void> {
      const { revision, release, image, credentials, container } = intent;
      const changed = prepare(
        `UPDATE runs SET state = 'starting', revision = ?, release = ?, image = ?, credentials = ?,
         container = ?, timeout_seconds = ?, limits = ?, secret_hash = ?, turn = ${NEXT_TURN}
         WHERE id = ? AND state IN ('queued', 'starting')`,
      ).run(
        ...[revision, release, image, credentials, container],
        ...[intent.timeoutSeconds, intent.limits ? JSON.stringify(intent.limits) : null],
        ...[intent.secretHash, id],
      ).changes;
      expectChange(changed, id, "starting");
    },

    async requeue(id: string): Promise<boolean> {
      return inTransaction(database, () => {
        const { changes } = prepare(
          `UPDATE runs SET state = 'queued', revision = NULL, release = NULL, image = NULL,
           credentials = NULL, container = NULL, timeout_seconds = NULL, limits = NULL, made = NULL,
           secret_hash = NULL WHERE id = ? AND state = 'starting' AND kill_reason IS NULL`,
        ).run(id);
        if (changes > 0) return true;
        const doomed = prepare("SELECT 1 FROM runs WHERE id = ? AND state = 'starting'").get(id);
        expectChange(doomed ? 1 : 0, id, "queued");
        return false;
      });
    },

    async running(id: string, startedAt: number): Promise<void> {
      const sql = `UPDATE runs SET state = 'running', started_at = ? WHERE id = ? AND state = 'starting'`;
      expectChange(prepare(sql).run(startedAt, id).changes, id, "running");
    },

    async made(id: string, from: MadeFrom): Promise<void> {
      const sql = `UPDATE runs SET made = ? WHERE id = ? AND ${UNFINISHED}`;
      prepare(sql).run(JSON.stringify(from), id);
    },

    async used(id: string, usage: TokenUsage): Promise<void> {
      const sql = `UPDATE runs SET usage = ? WHERE id = ? AND ${UNFINISHED}`;
      prepare(sql).run(JSON.stringify(usage), id);
    },

    async killing(id: string, { reason, detail }: KillOrder): Promise<void> {
      const sql = `UPDATE runs SET kill_reason = ?, kill_detail = ?
         WHERE id = ? AND kill_reason IS NULL AND ${UNFINISHED}`;
      prepare(sql).run(reason, detail ?? null, id);
    },

    async finished(id: string, result: FinishedRun, rerun?: NewRun): Promise<void> {
      inTransaction(database, () => {
        if (finish(prepare, id, result) && rerun) insert(prepare, rerun);
      });
    },

    async finishQueued(
      agent: string,
      result: FinishedRun,
      limit: number,
    ): Promise<readonly string[]> {
      return inTransaction(database, () => {
        const sql = `SELECT id FROM runs WHERE ${QUEUED} AND agent = ? ORDER BY id LIMIT ?`;
        const ids = (prepare(sql).all(agent, limit) as { id: string }[]).map(({ id }) => id);
        for (const id of ids) finish(prepare, id, result);
        return ids;
      });
    },

    ...queueOf(prepare),
    ...lookupsOf(prepare),
  };
}

function lookupsOf(prepare: Prepare) {
  return {
    async trigger(id: string): Promise<Trigger> {
      const sql = `SELECT trigger, context FROM runs LEFT JOIN run_contexts ON run = id WHERE id = ?`;
      const row = prepare(sql).get(id) as { trigger: string; context: string | null } | undefined;
      if (!row) throw new AlError(`there is no run ${id}`, { code: "run-state", blame: "bug" });
      return joinTrigger(JSON.parse(row.trigger) as TriggerFacts, row.context ?? undefined);
    },

    async get(id: string): Promise<Run | undefined> {
      return one(prepare("SELECT * FROM runs WHERE id = ?"), id);
    },

    async unfinished(): Promise<readonly Run[]> {
      return all(prepare(`SELECT * FROM runs WHERE ${UNFINISHED} ORDER BY id`));
    },

    async list(filter: RunFilter): Promise<readonly Run[]> {
      const { agent, limit } = filter;
      return agent === undefined
        ? all(prepare("SELECT * FROM runs ORDER BY id DESC LIMIT ?"), limit)
        : all(prepare("SELECT * FROM runs WHERE agent = ? ORDER BY id DESC LIMIT ?"), agent, limit);
    },

    async byKey(key: string): Promise<Run | undefined> {
      return one(prepare("SELECT * FROM runs WHERE key = ?"), key);
    },

    async usedSince(agent: string, since: number): Promise<DayUse> {
      const { starting } = prepare(
        `SELECT count(*) AS starting FROM runs INDEXED BY runs_active
         WHERE state IN ('starting', 'running') AND state = 'starting' AND agent = ?`,
      ).get(agent) as { starting: number };
      const { runs, cost } = prepare(
        `SELECT count(*) AS runs, coalesce(sum(cost), 0) AS cost FROM runs
         WHERE agent = ? AND started_at >= ?`,
      ).get(agent, since) as unknown as DayUse;
      return { runs: runs + starting, cost };
    },

    async bySecret(secretHash: string): Promise<Run | undefined> {
      return one(prepare(`SELECT * FROM runs WHERE secret_hash = ? AND ${UNFINISHED}`), secretHash);
    },
  };
}

function insert(prepare: Prepare, run: NewRun): boolean {
  const { facts, context } = splitTrigger(run.trigger);
  const { changes } = prepare(
    `INSERT INTO runs (id, agent, trigger, key, state, created_at, rerun_of, reruns)
     VALUES (?, ?, ?, ?, 'queued', ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
  ).run(
    ...[run.id, run.agent, JSON.stringify(facts), run.key ?? null],
    ...[run.createdAt, run.rerunOf ?? null, run.reruns],
  );
  if (changes === 0) return false;
  if (context !== undefined) {
    prepare("INSERT INTO run_contexts (run, context) VALUES (?, ?)").run(run.id, context);
  }
  return true;
}

function finish(prepare: Prepare, id: string, result: FinishedRun): boolean {
  const { changes } = prepare(
    `UPDATE runs SET state = 'finished', outcome = ?, ended_at = ?, exit_code = ?, detail = ?,
     started_at = coalesce(started_at, ?) WHERE id = ? AND ${UNFINISHED}`,
  ).run(
    ...[result.outcome, result.endedAt, result.exitCode ?? null, result.detail ?? null],
    ...[result.startedAt ?? null, id],
  );
  if (changes > 0) prepare("DELETE FROM run_contexts WHERE run = ?").run(id);
  return changes > 0;
}

function expectChange(changes: number | bigint, id: string, state: string): void {
  if (changes > 0) return;
  throw new AlError(`run ${id} cannot become ${state} from its present state`, {
    code: "run-state",
    blame: "bug",
  });
}
