import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { openRunDatabase } from "../../src/state/recover.ts";
import { createRunStorage } from "../../src/state/run-storage.ts";
import { tableNames } from "../../src/state/sqlite.ts";
import type { StorageBench } from "./storage.ts";

/** Opens a database as a runtime does. @throws TypeError when it was found damaged. */
export function openSound(path: string): DatabaseSync {
  const { database, recovery } = openRunDatabase(path, 0);
  if (!recovery) return database;
  throw new TypeError(`damaged by a crash: ${recovery.reason}`);
}

/**
 * SQLite's files, and processes that die: what counts of one is what its files hold at that moment, its
 * log included, in the middle of a transaction too.
 */
export function sqliteBench(): StorageBench {
  const root = mkdtempSync(join(tmpdir(), "al-storage-"));
  let generation = 0;
  let onChange = () => {};
  let database = openNext();
  let storage = createRunStorage(database);

  function openNext(): DatabaseSync {
    const opened = openSound(join(directory(), "state.db"));
    // What reaches the disk is not in question here.
    opened.exec("PRAGMA synchronous = OFF");
    opened.function("changed", () => {
      onChange();
      return 0;
    });
    for (const name of tableNames(opened)) {
      for (const change of ["INSERT", "UPDATE", "DELETE"]) {
        opened.exec(
          `CREATE TEMP TRIGGER tell_${name}_${change} AFTER ${change} ON main.${name}
           BEGIN SELECT changed(); END`,
        );
      }
    }
    return opened;
  }

  function directory(): string {
    const path = join(root, String(generation));
    mkdirSync(path, { recursive: true });
    return path;
  }

  function copyOut(): void {
    const from = directory();
    generation += 1;
    for (const name of ["state.db", "state.db-wal"]) {
      if (existsSync(join(from, name))) copyFileSync(join(from, name), join(directory(), name));
    }
  }

  return {
    storage: () => storage,
    async dieIn(work, change) {
      let left = change;
      const dying = database;
      onChange = () => {
        left -= 1;
        if (left === 0) copyOut();
      };
      await work();
      onChange = () => {};
      const inside = left <= 0;
      if (!inside) copyOut();
      dying.close();
      database = openNext();
      storage = createRunStorage(database);
      return inside ? "inside" : "after";
    },
    async dispose() {
      database.close();
      rmSync(root, { recursive: true });
    },
  };
}
