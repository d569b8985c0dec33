import type { DatabaseSync } from "node:sqlite";
import type { LockRequest, RunLock } from "../core/run-lock.ts";
import { statementCache } from "./run-statements.ts";
import { inTransaction } from "./sqlite.ts";

interface LockRow {
  readonly resource_key: string;
  readonly run: string;
  readonly agent: string;
  readonly held_since: number;
  readonly expires_at: number;
}

const SELECT = `SELECT locks.*, runs.agent FROM locks JOIN runs ON runs.id = locks.run`;

const UNFINISHED = "SELECT 1 FROM runs WHERE id = ? AND state <> 'finished'";

/**
 * Locks of runs in SQLite (tables of `RUN_MIGRATIONS`): satisfies the scheduler's LockStore port. A run
 * that ends loses its lock in the transaction that stores its end: the schema's own trigger sees to it.
 */
export function createLockStore(database: DatabaseSync) {
  const prepare = statementCache(database);
  const find = (where: string, value: string) => {
    const row = prepare(`${SELECT} WHERE ${where} = ?`).get(value) as LockRow | undefined;
    return row && lockOf(row);
  };
  /** Works on what is held now: what has expired is gone before `work` looks. */
  const among = <T>(now: number, work: () => T): T =>
    inTransaction(database, () => {
      prepare("DELETE FROM locks WHERE expires_at <= ?").run(now);
      return work();
    });
  const extend = ({ run, resourceKey }: LockRequest, expiresAt: number) => {
    prepare("UPDATE locks SET expires_at = ? WHERE resource_key = ? AND run = ?").run(
      ...[expiresAt, resourceKey, run],
    );
    return { kind: "held", expiresAt } as const;
  };
  return {
    async acquire(request: LockRequest & { readonly expiresAt: number }) {
      const { run, resourceKey, now, expiresAt } = request;
      return among(now, () => {
        if (!prepare(UNFINISHED).get(run)) return { kind: "ended" } as const;
        const own = find("locks.run", run);
        if (own?.resourceKey === resourceKey) return extend(request, expiresAt);
        if (own) return { kind: "holds-another", resourceKey: own.resourceKey } as const;
        const other = find("resource_key", resourceKey);
        if (other) return { kind: "taken", lock: other } as const;
        prepare("INSERT INTO locks VALUES (?, ?, ?, ?)").run(resourceKey, run, now, expiresAt);
        return { kind: "held", expiresAt } as const;
      });
    },

    async release({ run, resourceKey, now }: LockRequest) {
      return among(now, () => {
        const lock = find("resource_key", resourceKey);
        if (lock?.run !== run) return notHeld(lock);
        prepare("DELETE FROM locks WHERE resource_key = ?").run(resourceKey);
        return { kind: "released" } as const;
      });
    },

    async heartbeat(request: LockRequest & { readonly expiresAt: number }) {
      return among(request.now, () => {
        const lock = find("resource_key", request.resourceKey);
        return lock?.run === request.run ? extend(request, request.expiresAt) : notHeld(lock);
      });
    },

    async heldBy(run: string, now: number): Promise<RunLock | undefined> {
      const lock = find("locks.run", run);
      return lock && lock.expiresAt > now ? lock : undefined;
    },

    async list(now: number): Promise<readonly RunLock[]> {
      const rows = prepare(`${SELECT} WHERE expires_at > ? ORDER BY resource_key`).all(now);
      return (rows as unknown as LockRow[]).map(lockOf);
    },
  };
}

function notHeld(lock: RunLock | undefined) {
  return lock ? ({ kind: "taken", lock } as const) : ({ kind: "free" } as const);
}

function lockOf(row: LockRow): RunLock {
  return {
    resourceKey: row.resource_key,
    run: row.run,
    agent: row.agent,
    heldSince: row.held_since,
    expiresAt: row.expires_at,
  };
}
