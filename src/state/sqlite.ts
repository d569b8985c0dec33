import { DatabaseSync } from "node:sqlite";
import { AlError } from "../base/errors.ts";

/** One numbered, additive change of a schema: SQL statements, never rewritten once released. */
export type Migration = string;

const MAX_IDLE_LOG_BYTES = 16 * 1024 * 1024;

/**
 * Opens a database file (`:memory:` for tests) and brings its schema up to the last migration.
 * A committed transaction survives a power cut (WAL, synchronous=FULL). A schema newer than ours is
 * accepted: migrations only add, so that a rolled back program still works.
 * @throws AlError `database-unusable` when the file cannot be opened or migrated.
 */
export function openDatabase(path: string, migrations: readonly Migration[]): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 10_000 });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    // The log is emptied when it has 4 MB; what one large transaction made it grow to is given back then.
    database.exec(`PRAGMA journal_size_limit = ${MAX_IDLE_LOG_BYTES}`);
    migrate(database, migrations);
    return database;
  } catch (thrown) {
    database?.close();
    throw unusable(path, "used", thrown);
  }
}

/** The AlError `database-unusable` of a file that cannot be `used` or the like, since this was thrown. */
export function unusable(path: string, participle: string, thrown: unknown): AlError {
  return new AlError(
    `${path}: the database cannot be ${participle}: ${(thrown as Error).message}`,
    {
      code: "database-unusable",
      blame: "terminal",
      hint: "Check free space and the owner of the file.",
      cause: thrown,
    },
  );
}

/**
 * Runs `work` in one transaction that takes the write lock at once, so that it never fails half way
 * for want of it; rolled back when it throws. `work` must be synchronous.
 */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (thrown) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw thrown;
  }
}

/**
 * Commits a change of nothing, which has to reach the disk like any other.
 * @throws SQLite's error when the disk is full or gone.
 */
export function proveWritable(database: DatabaseSync): void {
  database.exec(`PRAGMA user_version = ${schemaVersion(database)}`);
}

/** The tables of a database, without SQLite's own. */
export function tableNames(database: DatabaseSync): readonly string[] {
  const sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
  return (database.prepare(sql).all() as { name: string }[]).map(({ name }) => name);
}

/** Brings a database's schema up to the last migration. */
export function migrate(database: DatabaseSync, migrations: readonly Migration[]): void {
  if (schemaVersion(database) >= migrations.length) return;
  inTransaction(database, () => {
    // Read again under the lock: another process may have migrated meanwhile.
    const applied = schemaVersion(database);
    for (const migration of migrations.slice(applied)) database.exec(migration);
    if (applied < migrations.length) database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

function schemaVersion(database: DatabaseSync): number {
  const row = database.prepare("PRAGMA user_version").get() as { user_version: number };
  return row.user_version;
}
