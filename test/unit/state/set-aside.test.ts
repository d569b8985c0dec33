import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRunDatabase } from "../../../src/state/recover.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { asides, MAX_ASIDE } from "../../../src/state/set-aside.ts";
import { fill, look, NOW, overwrite, PAGE, QUEUED, rootOf, SOUND } from "./damaged-database.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "al-aside-"));
  path = join(directory, "state.db");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("putting a damaged database aside", () => {
  it("overwrites none and keeps the newest", async () => {
    for (let n = 0; n < MAX_ASIDE + 2; n += 1) {
      writeFileSync(path, `damage ${n}`);
      await look(path, NOW + Math.floor(n / 2) * 1000);
    }
    const contents = asides(path).map(({ file }) => readFileSync(file, "utf8"));
    expect(contents).toEqual(["damage 6", "damage 5", "damage 4", "damage 3", "damage 2"]);
  });

  it("can be interrupted before the new one is whole", async () => {
    await fill(path);
    overwrite(path, rootOf(path, "runs_unfinished"), Buffer.alloc(PAGE));
    writeFileSync(`${path}.recovering`, "half");
    writeFileSync(`${path}.damaged-20260131T120000Z-wal`, "half");
    const { recovery, waiting } = await look(path);
    expect(recovery?.file).toBe(`${path}.damaged-20260131T120000Z-2`);
    expect(waiting).toHaveLength(QUEUED);
    expect(existsSync(`${path}.recovering`)).toBe(false);
  });

  it("can be interrupted before the new one takes the old one's place and log", async () => {
    await fill(path);
    const { database } = openRunDatabase(path, NOW);
    await createRunStore(database).finished(`01K${"0".repeat(20)}200`, {
      ...{ outcome: "completed", endedAt: 1 },
    });
    const log = readFileSync(`${path}-wal`);
    database.close();
    copyFileSync(path, `${path}.recovered`);
    writeFileSync(path, "damaged");
    writeFileSync(`${path}-wal`, log);
    const { recovery, waiting } = await look(path);
    expect(recovery).toBeUndefined();
    expect(waiting).toHaveLength(QUEUED - 1);
  });

  it("does not take a file that is out of reach for a damaged one", async () => {
    mkdirSync(path);
    expect(() => openRunDatabase(path, NOW)).toThrow(
      expect.objectContaining({ code: "database-unusable", blame: "terminal" }),
    );
    expect(readdirSync(directory)).toEqual(["state.db"]);
    chmodSync(path, 0o700);
  });
});

it("changes nothing where a damaged database finds no room for a new one", async () => {
  await fill(path);
  const { database } = openRunDatabase(path, NOW);
  // More than SQLite leaves in a log: it is in the file before the rest is written.
  database.exec("UPDATE runs SET detail = printf('%.*c', 24000, 'x') WHERE state = 'finished'");
  database.exec("INSERT INTO return_values SELECT id, printf('%.*c', 10000, 'x') FROM runs");
  database.close();
  overwrite(path, rootOf(path, "runs_by_agent"), Buffer.alloc(PAGE));
  const damaged = readFileSync(path);
  // There is no room for the rows of runs, or for the last of the log.
  for (const megabytes of [3, 6]) {
    expect(recoverWithin(megabytes)).toMatch(/^database-unusable: .*\.recovering: .* disk/);
    expect(readFileSync(path).equals(damaged)).toBe(true);
    expect(asides(path)).toEqual([]);
  }
  expect(recoverWithin(12)).toBe("recovered");
  const { all, check } = await look(path);
  expect([all.length, check]).toEqual([200 + QUEUED, SOUND]);
});

/** What comes of opening it in a process whose files may not grow further than that. */
function recoverWithin(megabytes: number): string {
  const program = `
    import { openRunDatabase } from ${JSON.stringify(import.meta.resolve("../../../src/state/recover.ts"))};
    try {
      const { recovery } = openRunDatabase(${JSON.stringify(path)}, ${NOW});
      process.stdout.write(recovery.incomplete.length === 0 ? "recovered" : "incomplete");
    } catch (thrown) {
      process.stdout.write(thrown.code + ": " + thrown.message);
    }`;
  const blocks = megabytes * 2048;
  const limited = `ulimit -f ${blocks}; exec "$0" --input-type=module -e "$1"`;
  return execFileSync("sh", ["-c", limited, process.execPath, program], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}
