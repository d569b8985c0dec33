import { appendFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Run } from "../../../src/core/run.ts";
import {
  CUT_REMARK,
  logPath,
  MAX_LOG_BYTES,
  openRunLog,
  type StoredLine,
} from "../../../src/runtime/run-log-file.ts";
import { runLogs } from "../../../src/runtime/run-log-read.ts";

const run = { id: "01A", agent: "dev" } as Run;
let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-log-"));
  path = logPath(directory, run);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function line(n: number, text = `line ${n}`): StoredLine {
  return { ts: `2026-01-01T00:00:00.00000000${n}Z`, stream: "stdout", text: Buffer.from(text) };
}

async function write(...lines: StoredLine[]) {
  const log = await openRunLog(path);
  const roomLeft = await log.append(lines);
  await log.close();
  return { last: log.last, roomLeft };
}

describe("a run's log file", () => {
  it("is for its owner only, and readable as it is", async () => {
    await write(line(1), { ...line(2), stream: "stderr" });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, "utf8")).toBe(
      "2026-01-01T00:00:00.000000001Z stdout line 1\n2026-01-01T00:00:00.000000002Z stderr line 2\n",
    );
  });

  it("says where an interrupted copy stopped, and drops half a line", async () => {
    expect((await write(line(1), line(2), line(2, "again"))).last).toBeUndefined();
    await appendFile(path, "2026-01-01T00:00:00.000000003Z stdout hal");
    expect((await write(line(4))).last).toEqual({ ts: line(2).ts, count: 2 });
    const lines = await runLogs(directory).read(run, 0);
    expect(lines.map(({ text }) => text)).toEqual(["line 1", "line 2", "again", "line 4"]);
  });

  it("ends with a remark when it is full, and takes no more", async () => {
    const big = "x".repeat(1024 * 1024);
    const { roomLeft } = await write(...Array.from({ length: 20 }, (_, n) => line(n % 10, big)));
    expect(roomLeft).toBe(false);
    const { size } = await stat(path);
    expect(size).toBeGreaterThan(MAX_LOG_BYTES - 2 * big.length);
    expect(size).toBeLessThanOrEqual(MAX_LOG_BYTES + 200);
    const logs = runLogs(directory);
    const [last] = await logs.read(run, await logs.tail(run, 1));
    expect(last).toMatchObject({ stream: "runtime", text: CUT_REMARK });
    await write(line(9));
    expect((await stat(path)).size).toBe(size);
  });
});

describe("reading a run's log", () => {
  it("gives nothing for a run without output", async () => {
    expect(await runLogs(directory).read(run, 0)).toEqual([]);
    expect(await runLogs(directory).tail(run, 5)).toBe(0);
  });

  it("goes on from any line's cursor", async () => {
    await write(line(1), line(2, "ü"), line(3));
    const logs = runLogs(directory);
    const all = await logs.read(run, 0);
    expect(all.map(({ text }) => text)).toEqual(["line 1", "ü", "line 3"]);
    for (const [index, { cursor }] of all.entries()) {
      expect(await logs.read(run, cursor)).toEqual(all.slice(index + 1));
    }
    expect(await logs.read(run, 1_000_000)).toEqual([]);
  });

  it("finds the last lines, also in a long log", async () => {
    await write(...Array.from({ length: 5000 }, (_, n) => line(1, `${n} ${"x".repeat(n % 90)}`)));
    const logs = runLogs(directory);
    const last = async (lines: number) => {
      const found = await logs.read(run, await logs.tail(run, lines));
      return found[0]?.text.split(" ")[0];
    };
    expect(await last(1)).toBe("4999");
    expect(await last(3000)).toBe("2000");
    expect(await last(9000)).toBe("0");
    expect(await last(0)).toBeUndefined();
  });

  it("reads lines longer than a batch", async () => {
    await write(line(1, "x".repeat(300_000)), line(2));
    const [long] = await runLogs(directory).read(run, 0);
    expect(long?.text).toHaveLength(300_000);
    const rest = await runLogs(directory).read(run, long?.cursor ?? 0);
    expect(rest.map(({ text }) => text)).toEqual(["line 2"]);
  });
});
