import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { openRunDatabase } from "../../../src/state/recover.ts";
import { createRunStore } from "../../../src/state/run-store.ts";

/** When these databases are opened, unless another time is given. */
export const NOW = Date.parse("2026-01-31T12:00:00.500Z");
/** Bytes. */
export const PAGE = 4096;
/** So many of the runs wait, the last ones. */
export const QUEUED = 50;
/** What SQLite says of a sound database. */
export const SOUND = [{ integrity_check: "ok" }];

/** A database with many finished runs and some that wait, closed in order. */
export async function fill(path: string, finished = 200): Promise<void> {
  const { database } = openRunDatabase(path, NOW);
  await write(database, finished);
  database.close();
}

/** Such runs, written to an open database; `01K` and 23 digits are their ids. */
export async function write(database: DatabaseSync, finished: number): Promise<void> {
  database.exec("PRAGMA synchronous = OFF");
  const store = createRunStore(database);
  for (let n = 0; n < finished + QUEUED; n += 1) {
    const id = `01K${String(n).padStart(23, "0")}`;
    const trigger = { kind: "webhook", source: "github", context: { n } } as const;
    await store.accept({ id, agent: "dev", trigger, createdAt: n, reruns: 0, key: `k/${n}` });
    if (n < finished) await store.finished(id, { outcome: "completed", endedAt: n });
  }
}

/** Opens it, and says what is there. */
export async function look(path: string, now = NOW) {
  const { database, recovery } = openRunDatabase(path, now);
  const store = createRunStore(database);
  const waiting = await store.unfinished();
  const triggers = await Promise.all(waiting.map(({ id }) => store.trigger(id)));
  const all = await store.list({ limit: 1000 });
  const check = database.prepare("PRAGMA integrity_check").all();
  database.close();
  return { recovery, waiting, triggers, all, check };
}

/** The page where a table or an index begins. */
export function rootOf(path: string, name: string): number {
  const database = new DatabaseSync(path);
  const row = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(name);
  database.close();
  return Number(row?.rootpage);
}

/** A page in the middle of those that hold a table's rows, and how many it holds. */
export function leafAmidst(
  path: string,
  table: string,
): { readonly page: number; readonly rows: number } {
  const database = new DatabaseSync(path);
  const leaves = database
    .prepare("SELECT pageno, ncell FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path")
    .all(table);
  database.close();
  const leaf = leaves[Math.floor(leaves.length / 2)];
  return { page: Number(leaf?.pageno), rows: Number(leaf?.ncell) };
}

/** Puts bytes in place of a page's first ones. */
export function overwrite(path: string, page: number, bytes: Buffer): void {
  const content = readFileSync(path);
  bytes.copy(content, (page - 1) * PAGE);
  writeFileSync(path, content);
}
