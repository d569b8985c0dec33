import type { DatabaseSync } from "node:sqlite";
import type { Json } from "../base/canonical-json.ts";
import { inTransaction } from "./sqlite.ts";

const UNFINISHED = "id = ? AND state <> 'finished'";

/**
 * What runs say of themselves, in SQLite (tables of `RUN_MIGRATIONS`): satisfies the scheduler's
 * SignalStore port. Return values may be large, so they lie beside the runs and are read one by one.
 */
export function createSignalStore(database: DatabaseSync) {
  const rerun = database.prepare(`UPDATE runs SET rerun_asked = 1 WHERE ${UNFINISHED}`);
  const status = database.prepare(`UPDATE runs SET status_text = ? WHERE ${UNFINISHED}`);
  const unfinished = database.prepare(`SELECT 1 FROM runs WHERE ${UNFINISHED}`);
  const save = database.prepare("INSERT OR REPLACE INTO return_values (run, value) VALUES (?, ?)");
  const load = database.prepare("SELECT value FROM return_values WHERE run = ?");
  return {
    async askRerun(run: string): Promise<boolean> {
      return rerun.run(run).changes > 0;
    },

    async setStatus(run: string, text: string): Promise<boolean> {
      return status.run(text, run).changes > 0;
    },

    async setReturnValue(run: string, value: Json): Promise<boolean> {
      return inTransaction(database, () => {
        if (!unfinished.get(run)) return false;
        save.run(run, JSON.stringify(value));
        return true;
      });
    },

    async returnValue(run: string): Promise<Json | undefined> {
      const row = load.get(run) as { value: string } | undefined;
      return row && (JSON.parse(row.value) as Json);
    },
  };
}
