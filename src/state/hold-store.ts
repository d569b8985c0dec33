import type { DatabaseSync } from "node:sqlite";
import type { Hold, HoldKey, StandingHold } from "../core/hold.ts";
import { inTransaction } from "./sqlite.ts";

interface HoldRow {
  readonly kind: string;
  readonly agent: string;
  readonly since: number;
  readonly by: string | null;
}

/** Stands for the whole scheduler; no agent is called so. */
const ALL = "";

/** What operators hold, in SQLite (a table of `RUN_MIGRATIONS`): satisfies the scheduler's HoldStore port. */
export function createHoldStore(database: DatabaseSync) {
  const all = database.prepare("SELECT * FROM holds ORDER BY kind, agent");
  const find = database.prepare("SELECT * FROM holds WHERE kind = ? AND agent = ?");
  const insert = database.prepare(
    "INSERT OR IGNORE INTO holds (kind, agent, since, by) VALUES (?, ?, ?, ?)",
  );
  const remove = database.prepare("DELETE FROM holds WHERE kind = ? AND agent = ?");
  return {
    async list(): Promise<readonly StandingHold[]> {
      return (all.all() as unknown as HoldRow[]).map(standingOf);
    },

    async put({ kind, agent = ALL }: HoldKey, { since, by }: Hold): Promise<Hold> {
      return inTransaction(database, () => {
        insert.run(kind, agent, since, by ?? null);
        return standingOf(find.get(kind, agent) as unknown as HoldRow).hold;
      });
    },

    async lift({ kind, agent = ALL }: HoldKey): Promise<boolean> {
      return remove.run(kind, agent).changes > 0;
    },
  };
}

function standingOf({ kind, agent, since, by }: HoldRow): StandingHold {
  return {
    kind: kind as HoldKey["kind"],
    ...(agent !== ALL && { agent }),
    hold: { since, ...(by !== null && { by }) },
  };
}
