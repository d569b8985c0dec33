import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { startVultrServer } from "../../vultr/server.ts";

const program = join(import.meta.dirname, "order-program.ts");

test.each([
  ["once the order was carried out and before it is answered", "POST", 6],
  ["while it looks once more, after the answer", "GET", 7],
])("a process killed %s leaves one machine, with its key", async (_when, method, requests) => {
  const directory = await mkdtemp(join(tmpdir(), "al-order-"));
  const server = await startVultrServer();
  onTestFinished(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });
  const { standIn, baseUrl } = server;
  const order = () =>
    spawn(process.execPath, [program, baseUrl, standIn.key, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  const path = "/instances";
  standIn.inject({ method, path, after: method === "GET" ? 1 : 0, does: { kind: "hang" } });
  const first = order();
  await expect.poll(() => standIn.requests.length, { timeout: 15_000 }).toBe(requests);
  expect(standIn.account.everMade).toHaveLength(1);
  first.kill("SIGKILL");
  await once(first, "close");
  const second = order();
  const { id, hostKey } = JSON.parse(await text(second.stdout));
  expect(standIn.account.everMade).toEqual([id]);
  const body = standIn.account.instances.get(id)?.body;
  expect(atob(body?.user_data ?? "")).toContain(hostKey);
});
