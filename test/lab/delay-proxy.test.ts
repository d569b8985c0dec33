import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { startDelayProxy } from "./delay-proxy.ts";

test("the delay proxy delays each round trip by twice its delay, and a burst only once", async () => {
  const { near, close } = await echoThrough(25);
  const start = performance.now();
  near.write("ping");
  await once(near, "data");
  const roundTripMs = performance.now() - start;
  const burst = Buffer.alloc(1_000_000, "b");
  const burstStart = performance.now();
  for (let index = 0; index < burst.length; index += 1_000) {
    near.write(burst.subarray(index, index + 1_000));
  }
  for (let seen = 0; seen < burst.length; ) seen += (await once(near, "data"))[0].length;
  const burstMs = performance.now() - burstStart;
  await close();
  expect(roundTripMs).toBeGreaterThanOrEqual(49);
  expect(roundTripMs).toBeLessThan(120);
  expect(burstMs).toBeLessThan(400);
});

test("the delay proxy keeps the order of bytes and counts them in both directions", async () => {
  const { near, proxy, close } = await echoThrough(5);
  const sent = Array.from({ length: 2_000 }, (_, index) => `line ${index}\n`).join("");
  let received = "";
  near.setEncoding("utf8").on("data", (text: string) => {
    received += text;
  });
  for (const line of sent.split(/(?<=\n)/)) near.write(line);
  near.end();
  await once(near, "end");
  const counted = proxy.bytes();
  await close();
  expect(received).toBe(sent);
  expect(counted).toEqual({ up: sent.length, down: sent.length });
});

async function echoThrough(delayMs: number) {
  const server = createServer({ noDelay: true }, (socket) => socket.pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const target = { address: "127.0.0.1", port: (server.address() as AddressInfo).port };
  const proxy = await startDelayProxy({ target, delayMs });
  const near = connect({ host: "127.0.0.1", port: proxy.port, noDelay: true });
  await once(near, "connect");
  const close = async () => {
    near.destroy();
    await proxy.close();
    server.close();
  };
  return { near, proxy, close };
}
