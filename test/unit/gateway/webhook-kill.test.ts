import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { hmac, openWebhookWorld } from "./webhook-world.ts";

const KILLS = 3;
const SENDERS = 4;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-webhooks-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it("what was answered with 200 is never lost, and starts one run however often it is sent again", async () => {
  const path = join(directory, "state.db");
  const promised: string[] = [];
  const tried: string[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const server = await start(path);
    // In the middle of what the other senders are about.
    const enough = promised.length + 10 + 7 * kill;
    const onPromise = () => promised.length >= enough && server.process.kill("SIGKILL");
    await Promise.all(
      Array.from({ length: SENDERS }, (_, sender) =>
        sendUntilGone(server.port, { name: `${kill}-${sender}`, promised, tried, onPromise }),
      ),
    );
  }
  const world = await openWebhookWorld({ path });
  const stored = new Set(
    (await world.receipts.list({ limit: 1e6 })).map((each) => each.deliveryId),
  );
  expect(promised.filter((id) => !stored.has(id))).toEqual([]);
  expect(world.runs()).toHaveLength(stored.size);
  for (const id of tried) expect(await deliver(world.port, id)).toBe(200);
  expect(world.runs()).toHaveLength(tried.length);
  await world.dispose();
});

async function start(path: string): Promise<{ process: ChildProcess; port: number }> {
  const program = join(import.meta.dirname, "webhook-server.ts");
  const server = spawn(process.execPath, [program, path], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await once(server.stdout, "data");
  return { process: server, port: Number(port) };
}

async function sendUntilGone(
  port: number,
  seen: { name: string; promised: string[]; tried: string[]; onPromise: () => void },
): Promise<void> {
  for (let n = 0; ; n += 1) {
    const id = `${seen.name}-${n}`;
    seen.tried.push(id);
    const status = await deliver(port, id).catch(() => undefined);
    if (status === undefined) return;
    expect(status).toBe(200);
    seen.promised.push(id);
    seen.onPromise();
  }
}

async function deliver(port: number, id: string): Promise<number> {
  const body = JSON.stringify({ action: "opened", id });
  const response = await fetch(`http://127.0.0.1:${port}/webhooks/github`, {
    method: "POST",
    body,
    headers: {
      ...{ "x-github-event": "issues", "x-github-delivery": id },
      "x-hub-signature-256": `sha256=${hmac(body, "s3cret")}`,
    },
  });
  await response.text();
  return response.status;
}
