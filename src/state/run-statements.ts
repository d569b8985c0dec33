import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Run } from "../core/run.ts";
import { type RunRow, runOf } from "./run-row.ts";

/** Gives the prepared statement of a text. */
export type Prepare = (sql: string) => StatementSync;

/** Prepares each statement once. */
export function statementCache(database: DatabaseSync): Prepare {
  const statements = new Map<string, StatementSync>();
  return (sql) => {
    const statement = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
}

/** The run of a statement that selects whole rows of `runs`. */
export function one(statement: StatementSync, ...values: SQLInputValue[]): Run | undefined {
  const row = statement.get(...values) as unknown as RunRow | undefined;
  return row && runOf(row);
}

/** The runs of a statement that selects whole rows of `runs`. */
export function all(statement: StatementSync, ...values: SQLInputValue[]): readonly Run[] {
  return (statement.all(...values) as unknown as RunRow[]).map(runOf);
}
