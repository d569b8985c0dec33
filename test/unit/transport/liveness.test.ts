import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { watchLiveness } from "../../../src/transport/liveness.ts";

const open: { destroy(): unknown }[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item.destroy();
});

async function pair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const near = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [far] = (await once(server, "connection")) as [Socket];
  near.resume();
  server.close();
  open.push(near, far);
  return { near, far };
}

test("a peer that is silent for too long is dead, once", async () => {
  const { near } = await pair();
  let deaths = 0;
  watchLiveness(near, { intervalMs: 40, count: 3 }, () => {
    deaths += 1;
  });
  await delay(80);
  expect(deaths).toBe(0);
  await expect.poll(() => deaths, { timeout: 2000 }).toBe(1);
  await delay(200);
  expect(deaths).toBe(1);
});

test("any byte is a sign of life, whatever it answers", async () => {
  const { near, far } = await pair();
  let dead = false;
  watchLiveness(near, { intervalMs: 200, count: 2 }, () => {
    dead = true;
  });
  for (let n = 0; n < 10; n += 1) {
    far.write("x");
    await delay(100);
  }
  expect(dead).toBe(false);
});
