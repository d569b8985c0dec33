import { statSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { readOnlyUrl } from "./memory-copy.ts";
import { inTransaction, tableNames } from "./sqlite.ts";

/** What was carried over from a damaged database. */
export interface Salvaged {
  /** Rows by table, as far as there were any. */
  readonly kept: Readonly<Record<string, number>>;
  /** Tables of which not every row could be read or stored. */
  readonly incomplete: readonly string[];
}

type Row = Readonly<Record<string, SQLInputValue>>;

/** How to carry over. */
export interface SalvageOptions {
  /** The tables whose rows are carried over first, in this order. */
  readonly first: readonly string[];
  /** False for a row that may not be carried over, because nobody could work with it. */
  readonly isUsable: (table: string, row: Row) => boolean;
}

/** Looked for one by one between what can be read from the front and from the back of a table. */
const MAX_LOOKUPS = 5000;
const ROWID = "rowid of this row";

/**
 * Copies what can be read of a damaged database into a new one that has the tables already. What cannot be
 * read is left out, and its table named.
 * @throws SQLite's error when the new one cannot be written, as on a full disk.
 */
export function salvage(from: string, to: DatabaseSync, options: SalvageOptions): Salvaged {
  const kept: Record<string, number> = {};
  const incomplete: string[] = [];
  const tables = [...new Set([...options.first, ...tableNames(to)])];
  // SQLite would remove the log beside an empty file, which is all that is left then.
  if (!statSync(from, { throwIfNoEntry: false })?.size) return { kept, incomplete: tables };
  let source: DatabaseSync;
  try {
    source = new DatabaseSync(readOnlyUrl(from), { readOnly: true });
  } catch {
    return { kept, incomplete: tables };
  }
  try {
    for (const table of tables) {
      const { rows, whole } = carryOver({ source, to, table }, options);
      if (rows > 0) kept[table] = rows;
      if (!whole) incomplete.push(table);
    }
  } finally {
    source.close();
  }
  return { kept, incomplete };
}

function carryOver(
  { source, to, table }: { source: DatabaseSync; to: DatabaseSync; table: string },
  { isUsable }: SalvageOptions,
): { readonly rows: number; readonly whole: boolean } {
  const columns = columnsOf(to, table);
  const reading = readable(source, table);
  let rows = 0;
  let whole = true;
  inTransaction(to, () => {
    for (const row of reading.rows) {
      const named = columns.filter((column) => row[column] !== undefined);
      const names = named.map((column) => `"${column}"`).join(", ");
      const values = named.map((column) => row[column] ?? null);
      const marks = named.map(() => "?").join(", ");
      try {
        if (!isUsable(table, row)) throw new TypeError("not usable");
        to.prepare(`INSERT INTO "${table}" (${names}) VALUES (${marks})`).run(...values);
        rows += 1;
      } catch (thrown) {
        // Where SQLite gave up the transaction it was not for the row.
        if (!to.isTransaction) throw thrown;
        whole = false;
      }
    }
  });
  return { rows, whole: whole && reading.isWhole() };
}

/** Rows that can be read: from the front, from the back, and one by one what may be between. */
function readable(source: DatabaseSync, table: string) {
  const select = `SELECT rowid AS "${ROWID}", * FROM "${table}"`;
  let whole = false;
  function* scan(order: "ASC" | "DESC"): Generator<Row, boolean> {
    try {
      for (const row of source.prepare(`${select} ORDER BY rowid ${order}`).iterate()) {
        yield row as Row;
      }
      return true;
    } catch {
      return false;
    }
  }
  function* rows(): Generator<Row> {
    let front = 0;
    const forward = scan("ASC");
    let next = forward.next();
    for (; !next.done; next = forward.next()) {
      front = Number(next.value[ROWID]);
      yield next.value;
    }
    whole = next.value;
    if (whole) return;
    let back = front + MAX_LOOKUPS;
    for (const row of scan("DESC")) {
      if (Number(row[ROWID]) <= front) break;
      back = Number(row[ROWID]);
      yield row;
    }
    yield* lookUp(source, `${select} WHERE rowid = ?`, {
      from: front + 1,
      to: Math.min(back, front + MAX_LOOKUPS),
    });
  }
  return { rows: rows(), isWhole: () => whole };
}

/** Row by row: each may lie on a page that can be read. */
function* lookUp(
  source: DatabaseSync,
  sql: string,
  { from, to }: { readonly from: number; readonly to: number },
): Generator<Row> {
  let statement: StatementSync;
  try {
    statement = source.prepare(sql);
  } catch {
    return;
  }
  for (let id = from; id < to; id += 1) {
    try {
      const row = statement.get(id) as Row | undefined;
      if (row) yield row;
    } catch {
      // The next one may be readable.
    }
  }
}

function columnsOf(database: DatabaseSync, table: string): readonly string[] {
  const rows = database.prepare(`PRAGMA table_info("${table}")`).all() as { name: string }[];
  return rows.map(({ name }) => name);
}
