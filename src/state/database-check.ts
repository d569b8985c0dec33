import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { readOnlyUrl } from "./memory-copy.ts";
import { tableNames, unusable } from "./sqlite.ts";

/**
 * Up to this size (log included) everything is compared with everything, which takes about a second; of
 * what is larger, tables of big values are left out, which are read one by one.
 */
const FULL_CHECK_BYTES = 512 * 1024 * 1024;

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** How a database is looked over. */
export interface DatabaseCheck {
  /** Tables that a large file is not searched through for. */
  readonly bigTables?: readonly string[];
  readonly fullCheckBytes?: number;
}

/**
 * What is wrong with a database file: torn or missing pages, indexes that are not those of their table,
 * rows that refer to nothing. Undefined when it is sound, or was never made. Writes nothing.
 * @throws AlError `database-unusable` when it cannot be told, as where the file may not be read.
 */
export function damageOf(
  path: string,
  { bigTables = [], fullCheckBytes = FULL_CHECK_BYTES }: DatabaseCheck = {},
): string | undefined {
  const [size, logSize] = [sizeOf(path), sizeOf(`${path}-wal`) ?? 0];
  if (size === undefined) return logSize > 0 ? "its log is there without it" : undefined;
  if (size === 0) return "it is empty";
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(readOnlyUrl(path), { readOnly: true, timeout: 10_000 });
    return damageIn(database, size + logSize > fullCheckBytes ? bigTables : []);
  } catch (thrown) {
    if (isDamage(thrown)) return (thrown as Error).message;
    throw unusable(path, "checked", thrown);
  } finally {
    database?.close();
  }
}

/**
 * What is wrong with an open database; tables that are `left` out are not looked at.
 * @throws SQLite's error, which may tell of damage itself.
 */
export function damageIn(database: DatabaseSync, left: readonly string[] = []): string | undefined {
  const some = () => tableNames(database).filter((name) => !left.includes(name));
  for (const table of left.length > 0 ? some() : [undefined]) {
    const damage = integrity(database, table) ?? orphan(database, table);
    if (damage !== undefined) return damage;
  }
  return undefined;
}

/** Whether SQLite says by this error that a file is damaged, and not that it is out of reach. */
export function isDamage(thrown: unknown): boolean {
  const code = (thrown as { errcode?: unknown } | null)?.errcode;
  if (typeof code !== "number") return false;
  // The lower byte is the kind of error.
  return (code & 0xff) === SQLITE_CORRUPT || (code & 0xff) === SQLITE_NOTADB;
}

/** Of one table with its indexes, or of all there is. */
function integrity(database: DatabaseSync, table: string | undefined): string | undefined {
  const sql = `PRAGMA integrity_check(${table === undefined ? 3 : `"${table}"`})`;
  const rows = database.prepare(sql).all() as { integrity_check: string }[];
  const found = rows.map((row) => row.integrity_check).filter((message) => message !== "ok");
  return found.length > 0 ? found.slice(0, 3).join("; ") : undefined;
}

function orphan(database: DatabaseSync, table: string | undefined): string | undefined {
  const sql = `PRAGMA foreign_key_check${table === undefined ? "" : `("${table}")`}`;
  const [row] = database.prepare(sql).all();
  return row && `a row of ${row.table} refers to a row of ${row.parent} that is not there`;
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
