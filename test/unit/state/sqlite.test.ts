import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inTransaction, openDatabase, proveWritable } from "../../../src/state/sqlite.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-sqlite-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const first = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)";
const second = "ALTER TABLE a ADD COLUMN y TEXT";

it("a database gives back the space of a log that one large transaction made grow", async () => {
  const path = join(directory, "state.db");
  const database = openDatabase(path, ["CREATE TABLE a (x BLOB) STRICT"]);
  const insert = database.prepare("INSERT INTO a VALUES (?)");
  insert.run(Buffer.alloc(40 * 2 ** 20));
  for (let n = 0; n < 3; n += 1) insert.run(Buffer.alloc(10));
  expect((await stat(`${path}-wal`)).size).toBeLessThanOrEqual(16 * 2 ** 20);
  database.close();
});

describe("openDatabase", () => {
  it("applies each migration once", () => {
    const path = join(directory, "state.db");
    openDatabase(path, [first]).close();
    const database = openDatabase(path, [first, second]);
    expect(database.prepare("SELECT * FROM a").all()).toEqual([{ x: 1, y: null }]);
    expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 2 });
    database.close();
  });

  it("accepts a schema newer than its own, as after a rollback of the program", () => {
    const path = join(directory, "state.db");
    openDatabase(path, [first, second]).close();
    const database = openDatabase(path, [first]);
    expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 2 });
    database.close();
  });

  it("changes nothing when one of several migrations fails", () => {
    const path = join(directory, "state.db");
    expect(() => openDatabase(path, [first, "CREATE TABLE a (x INTEGER)"])).toThrow(
      expect.objectContaining({ code: "database-unusable" }),
    );
    openDatabase(path, [first]).close();
  });

  it("writes through to the disk at each commit", () => {
    const database = openDatabase(join(directory, "state.db"), [first]);
    expect(database.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
    expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(database.prepare("PRAGMA foreign_keys").get()).toEqual({ foreign_keys: 1 });
    database.close();
  });

  it("can be proved to be writable, by a write", async () => {
    const path = join(directory, "state.db");
    const database = openDatabase(path, []);
    const size = async () => (await stat(`${path}-wal`)).size;
    proveWritable(database);
    const before = await size();
    proveWritable(database);
    expect(await size()).toBeGreaterThan(before);
    database.exec("PRAGMA query_only = ON");
    expect(() => proveWritable(database)).toThrow("readonly");
    database.close();
  });

  it("undoes a transaction whose work throws", () => {
    const database = openDatabase(join(directory, "state.db"), [first]);
    const work = () => {
      database.exec("DELETE FROM a");
      throw new TypeError("no");
    };
    expect(() => inTransaction(database, work)).toThrow("no");
    expect(database.prepare("SELECT count(*) AS n FROM a").get()).toEqual({ n: 1 });
    database.close();
  });

  it("keeps every committed row when its process is killed", async () => {
    const path = join(directory, "state.db");
    const program = `
      import { openDatabase } from ${JSON.stringify(import.meta.resolve("../../../src/state/sqlite.ts"))};
      const database = openDatabase(${JSON.stringify(path)}, ["CREATE TABLE a (x INTEGER)"]);
      for (let x = 0; ; x += 1) {
        database.exec("INSERT INTO a VALUES (" + x + ")");
        process.stdout.write(x + "\\n");
      }`;
    const writer = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let told = "";
    writer.stdout.on("data", (chunk) => {
      told += chunk;
      if (told.length > 500) writer.kill("SIGKILL");
    });
    await once(writer, "close");
    const committed = told.split("\n").slice(0, -1).length;
    const database = openDatabase(path, []);
    const { n } = database.prepare("SELECT count(*) AS n FROM a").get() as { n: number };
    database.close();
    expect(committed).toBeGreaterThan(50);
    expect(n).toBeGreaterThanOrEqual(committed);
  });
});
