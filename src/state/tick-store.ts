import type { DatabaseSync } from "node:sqlite";
import { inTransaction } from "./sqlite.ts";

/** How far schedules are, in SQLite (a table of `RUN_MIGRATIONS`): satisfies the scheduler's TickStore port. */
export function createTickStore(database: DatabaseSync) {
  const find = database.prepare("SELECT handled_until FROM ticks WHERE agent = ? AND schedule = ?");
  const names = database.prepare("SELECT agent FROM ticks");
  const save = database.prepare(
    "INSERT OR REPLACE INTO ticks (agent, schedule, handled_until) VALUES (?, ?, ?)",
  );
  const remove = database.prepare("DELETE FROM ticks WHERE agent = ?");
  return {
    async handledUntil(agent: string, schedule: string): Promise<number | undefined> {
      const row = find.get(agent, schedule) as { handled_until: number } | undefined;
      return row?.handled_until;
    },

    async handled(
      agent: string,
      { schedule, until }: { readonly schedule: string; readonly until: number },
    ): Promise<void> {
      save.run(agent, schedule, until);
    },

    async keep(agents: ReadonlySet<string>): Promise<void> {
      const known = names.all() as { agent: string }[];
      const gone = known.filter(({ agent }) => !agents.has(agent));
      if (gone.length === 0) return;
      inTransaction(database, () => {
        for (const { agent } of gone) remove.run(agent);
      });
    },
  };
}
