import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

/**
 * Takes a lock, made at `path` when it is missing, if nobody has it. It ends with the process, however
 * that ends: it is a lock of the kernel on a file, which SQLite takes in a portable way.
 * @returns what gives it back; undefined where somebody has it.
 */
export function takeFileLock(path: string): (() => void) | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec("BEGIN EXCLUSIVE");
    return () => database.close();
  } catch (thrown) {
    database.close();
    if ((thrown as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw thrown;
  }
}
