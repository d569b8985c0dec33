import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { NewRun } from "../../../src/core/run.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { createWebhookReceipts } from "../../../src/state/webhook-receipts.ts";
import { createMemoryWebhookReceipts } from "./memory-webhook-receipts.ts";
import { webhookReceiptsSuite } from "./webhook-receipts-suite.ts";

describe("the SQLite store of webhook receipts", () => {
  webhookReceiptsSuite(() => {
    const database = openDatabase(":memory:", RUN_MIGRATIONS);
    return {
      receipts: createWebhookReceipts(database, (run) => enqueue(database, run)),
      runs: async () => runIds(database),
    };
  });

  it("has every accepted delivery with all its runs when its process is killed", async () => {
    const directory = await mkdtemp(join(tmpdir(), "al-receipts-"));
    const path = join(directory, "state.db");
    const told = await acceptUntilKilled(path);
    const database = openDatabase(path, RUN_MIGRATIONS);
    const count = (sql: string) => (database.prepare(sql).get() as { n: number }).n;
    const stored = count("SELECT count(*) AS n FROM webhook_receipts");
    expect(told).toBeGreaterThan(20);
    expect(stored).toBeGreaterThanOrEqual(told);
    expect(count("SELECT count(*) AS n FROM runs")).toBe(2 * stored);
    database.close();
    await rm(directory, { recursive: true });
  });
});

describe("the store of webhook receipts in memory", () => {
  webhookReceiptsSuite(() => {
    const stored: NewRun[] = [];
    const receipts = createMemoryWebhookReceipts((runs) => {
      if (runs.some(({ agent }) => agent === "broken")) throw new TypeError("no");
      stored.push(...runs);
    });
    return { receipts, runs: async () => stored.map(({ id }) => id).sort() };
  });
});

function enqueue(database: DatabaseSync, { id, agent, trigger, key }: NewRun): void {
  if (agent === "broken") throw new TypeError("no");
  database
    .prepare(
      "INSERT INTO runs (id, agent, trigger, key, state, created_at, reruns) VALUES (?, ?, ?, ?, 'queued', 0, 0)",
    )
    .run(id, agent, JSON.stringify(trigger), key ?? null);
}

function runIds(database: DatabaseSync): readonly string[] {
  const rows = database.prepare("SELECT id FROM runs ORDER BY id").all();
  return rows.map(({ id }) => String(id));
}

/** Accepts deliveries with two runs each in a process of its own; gives how many it had told of. */
async function acceptUntilKilled(path: string): Promise<number> {
  const module = (name: string) =>
    JSON.stringify(import.meta.resolve(`../../../src/state/${name}.ts`));
  const program = `
    import { openDatabase } from ${module("sqlite")};
    import { createWebhookReceipts } from ${module("webhook-receipts")};
    const database = openDatabase(${JSON.stringify(path)}, ${JSON.stringify(RUN_MIGRATIONS)});
    const insert = database.prepare(
      "INSERT INTO runs (id, agent, trigger, state, created_at, reruns) VALUES (?, 'dev', '{}', 'queued', 0, 0)",
    );
    const receipts = createWebhookReceipts(database, ({ id }) => insert.run(id));
    for (let n = 0; ; n += 1) {
      const facts = { type: "github", sources: ["a"], deliveryId: String(n), receivedAt: n };
      const receipt = { id: String(n), ...facts, headers: {}, body: Buffer.alloc(5000, 1) };
      await receipts.accept([{ receipt, runs: [{ id: n + "/a" }, { id: n + "/b" }] }]);
      process.stdout.write(n + "\\n");
    }`;
  const writer = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let told = "";
  writer.stdout.on("data", (chunk) => {
    told += chunk;
    if (told.length > 200) writer.kill("SIGKILL");
  });
  await once(writer, "close");
  return told.split("\n").length - 1;
}
