import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { AlError } from "../base/errors.ts";
import { type Migration, migrate } from "./sqlite.ts";

/**
 * A copy of a database in memory, brought to the last migration; an empty one where there is no file.
 * The file, its directory and its write-ahead log stay as they are, byte for byte.
 * @throws AlError `database-unusable` when the file is there and cannot be read.
 */
export function copyInMemory(path: string, migrations: readonly Migration[]): DatabaseSync {
  for (let attempt = 0; ; attempt++) {
    const before = stateOf(path);
    const copy = new DatabaseSync(":memory:");
    try {
      if (before !== undefined) copyTables(copy, path);
      // Whoever wrote in between may have moved pages under our hands.
      if (before !== stateOf(path) && attempt < 10) throw new Error("it was written meanwhile");
      migrate(copy, migrations);
      return copy;
    } catch (thrown) {
      copy.close();
      if (before !== stateOf(path) && attempt < 10) continue;
      throw unusable(path, thrown);
    }
  }
}

function copyTables(copy: DatabaseSync, path: string): void {
  copy.prepare("ATTACH ? AS source").run(readOnlyUrl(path));
  const tables = copy
    .prepare("SELECT name, sql FROM source.sqlite_schema WHERE type = 'table' ORDER BY name")
    .all() as { name: string; sql: string }[];
  for (const { name, sql } of tables.filter(({ name }) => !name.startsWith("sqlite_"))) {
    copy.exec(sql);
    const quoted = `"${name.replaceAll('"', '""')}"`;
    copy.exec(`INSERT INTO main.${quoted} SELECT * FROM source.${quoted}`);
  }
  const { user_version: version } = copy.prepare("PRAGMA source.user_version").get() as {
    user_version: number;
  };
  copy.exec(`PRAGMA main.user_version = ${version}`);
  copy.exec("DETACH source");
}

/**
 * The address by which a database file is read without being changed. With no log beside it nobody has
 * the file open, and it is read without the files that SQLite would make to share it; with one, the log
 * holds the newest transactions and must be read too.
 */
export function readOnlyUrl(path: string): string {
  const url = pathToFileURL(path);
  url.searchParams.set("mode", "ro");
  if (!existsSync(`${path}-wal`)) url.searchParams.set("immutable", "1");
  return url.href;
}

/** What changes when somebody writes; undefined without a file. */
function stateOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!found) return undefined;
  return `${found.ino} ${found.size} ${found.mtimeNs} ${existsSync(`${path}-wal`)}`;
}

function unusable(path: string, thrown: unknown): AlError {
  return new AlError(`${path}: the database cannot be read: ${(thrown as Error).message}`, {
    code: "database-unusable",
    blame: "terminal",
    hint: "Check the owner of the file.",
    cause: thrown,
  });
}
