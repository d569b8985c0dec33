import { chmodSync, existsSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { damageOf } from "./database-check.ts";
import { type RunRow, runOf } from "./run-row.ts";
import { RUN_MIGRATIONS } from "./run-schema.ts";
import { type Salvaged, salvage } from "./salvage.ts";
import { type Aside, setAside } from "./set-aside.ts";
import { openDatabase, unusable } from "./sqlite.ts";
import { syncDirectory } from "./sync-directory.ts";

/** A database that was found damaged: what is wrong with it, where it is now, what was saved. */
export interface Recovery extends Aside, Salvaged {
  readonly reason: string;
}

/** Tables of values that may be large and are read one by one. */
const BIG_TABLES = ["webhook_receipts", "return_values", "run_contexts"];
/** What others refer to, and what was accepted, come first. */
const FIRST_TABLES = ["runs", "run_contexts", "locks"];
const RECOVERED = ".recovered";
const HALF = ".recovering";

/**
 * Opens a runtime's database. Of a damaged one all that can be read is put into a new one, which takes its
 * place when it is whole; the damaged one is put aside, and `recovery` tells of it. A crash at any point
 * leaves the one or the other, whole. Nobody else may have it open.
 * @throws AlError `database-unusable` when the file is out of reach, which is no damage, or the new one
 * cannot be written, as on a full disk: then nothing has changed.
 */
export function openRunDatabase(
  path: string,
  now: number,
): { readonly database: DatabaseSync; readonly recovery?: Recovery } {
  finishReplacing(path);
  const reason = damageOf(path, { bigTables: BIG_TABLES });
  if (reason === undefined) return { database: openDatabase(path, RUN_MIGRATIONS) };
  const salvaged = salvageInto(`${path}${HALF}`, path);
  const aside = setAside(path, now);
  renameSync(`${path}${HALF}`, `${path}${RECOVERED}`);
  syncDirectory(dirname(path));
  finishReplacing(path);
  const database = openDatabase(path, RUN_MIGRATIONS);
  return { database, recovery: { reason, ...aside, ...salvaged } };
}

/** Once the new file is whole it is the one that counts, and the old one's log must not be read into it. */
function finishReplacing(path: string): void {
  rmFiles(`${path}${HALF}`);
  if (!existsSync(`${path}${RECOVERED}`)) return;
  rmSync(`${path}-wal`, { force: true });
  rmSync(`${path}-shm`, { force: true });
  syncDirectory(dirname(path));
  renameSync(`${path}${RECOVERED}`, path);
  syncDirectory(dirname(path));
}

function salvageInto(path: string, from: string): Salvaged {
  const fresh = openDatabase(path, RUN_MIGRATIONS);
  try {
    chmodSync(path, 0o600);
    const salvaged = salvage(from, fresh, { first: FIRST_TABLES, isUsable });
    // Closing it would do so, too, and not tell of a failure.
    fresh.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return salvaged;
  } catch (thrown) {
    throw unusable(path, "written", thrown);
  } finally {
    fresh.close();
  }
}

/** One run that cannot be read would keep all others from being listed. */
function isUsable(table: string, row: Readonly<Record<string, SQLInputValue>>): boolean {
  return table !== "runs" || typeof runOf(row as unknown as RunRow).trigger.kind === "string";
}

function rmFiles(path: string): void {
  for (const part of ["", "-wal", "-shm"]) rmSync(`${path}${part}`, { force: true });
}
