import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";

// The floor: what hono and node:sqlite cost alone, with the durability of the runtime. Its argument is
// a directory; it prints its port.

const database = new DatabaseSync(join(process.argv[2] ?? "", "peer.db"));
database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
database.exec("CREATE TABLE deliveries (id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT");
database.exec("CREATE TABLE locks (name TEXT PRIMARY KEY, run TEXT NOT NULL) STRICT");
const insert = database.prepare("INSERT INTO deliveries (id, body) VALUES (?, ?)");
const lock = database.prepare("INSERT INTO locks (name, run) VALUES (?, ?)");
const unlock = database.prepare("DELETE FROM locks WHERE name = ? AND run = ?");

const app = new Hono();
app.post("/webhooks/github", async (context) => {
  const body = new Uint8Array(await context.req.arrayBuffer());
  insert.run(context.req.header("x-github-delivery") ?? "", body);
  return context.json({ ok: true });
});
app.post("/locks/:what", async (context) => {
  const { secret, resourceKey } = (await context.req.json()) as Record<string, string>;
  const statement = context.req.param("what") === "acquire" ? lock : unlock;
  statement.run(resourceKey ?? "", secret ?? "");
  return context.json({ ok: true });
});

const server = createAdaptorServer({ fetch: app.fetch }) as Server;
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
