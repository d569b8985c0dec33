import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBodyReader } from "../../../src/gateway/webhook-body.ts";
import { hmac, openWebhookWorld, type WebhookWorld } from "./webhook-world.ts";

const MAX_BYTES = 10 * 1024 * 1024;

let world: WebhookWorld;
beforeEach(async () => {
  world = await openWebhookWorld({ headersMs: 300, requestMs: 600 });
});
afterEach(() => world.dispose());

/** JSON of exactly so many bytes. */
function bodyOf(bytes: number): string {
  const around = JSON.stringify({ padding: "" }).length;
  return JSON.stringify({ padding: "x".repeat(bytes - around) });
}

const signed = (body: string) => ({ "x-hub-signature-256": `sha256=${hmac(body, "s3cret")}` });

async function dial(): Promise<Socket> {
  const socket = connect(world.port, "127.0.0.1");
  // An answer may come, and the connection end, before all is sent.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

describe("a body", () => {
  it("of 10 MB is taken, announced or in chunks", async () => {
    world = await reopened();
    const body = bodyOf(MAX_BYTES);
    const announced = await world.send("/webhooks/github", { body, signedWith: "s3cret" });
    expect([announced.status, announced.body]).toMatchObject([200, { matched: 1 }]);
    const chunked = await sendChunks(body, { ...signed(body), "x-github-delivery": "d2" });
    expect([chunked.status, await chunked.json()]).toMatchObject([200, { matched: 1 }]);
    expect(world.runs()).toHaveLength(2);
  });

  it("of one byte more is refused, announced or in chunks", async () => {
    world = await reopened();
    const body = bodyOf(MAX_BYTES + 1);
    const announced = await world.send("/webhooks/github", { body, signedWith: "s3cret" });
    expect([announced.status, announced.body]).toMatchObject([413, { code: "body-too-large" }]);
    const chunked = await sendChunks(body, signed(body));
    expect([chunked.status, await chunked.json()]).toMatchObject([413, { code: "body-too-large" }]);
    expect(world.runs()).toEqual([]);
  });

  it("that is announced as too large is refused before it is sent", async () => {
    const socket = await dial();
    socket.write(`POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n`);
    const [first] = await once(socket, "data");
    expect(String(first)).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it("may be called anything: its type decides nothing", async () => {
    for (const type of ["text/plain", "application/xml", "multipart/form-data", "\u00ff/;;"]) {
      const headers = { "content-type": type, "x-github-delivery": type.length.toString() };
      const sending = { body: '{"a":1}', signedWith: "s3cret", headers };
      expect((await world.send("/webhooks/github", sending)).status).toBe(200);
    }
  });
});

describe("a sender", () => {
  it.each([
    ["headers", "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nX-Slow: "],
    ["body", "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"],
    [
      "chunk",
      "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n{",
    ],
  ])("whose %s does not end is told so, and cut off", async (_what, start) => {
    const socket = await dial();
    socket.write(start);
    const drip = setInterval(() => socket.write("a"), 50);
    const answer = await text(socket);
    clearInterval(drip);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(await world.receipts.list({ limit: 1 })).toEqual([]);
  });

  it("that goes away in the middle leaves nothing, and the next one is served", async () => {
    for (const start of [
      "Content-Length: 70000\r\n\r\n{",
      "Transfer-Encoding: chunked\r\n\r\n1\r\n{",
    ]) {
      const socket = await dial();
      socket.write(`POST /webhooks/github HTTP/1.1\r\nHost: x\r\n${start}`);
      socket.destroy();
      await once(socket, "close");
    }
    const answer = await world.send("/webhooks/github", { signedWith: "s3cret" });
    expect([answer.status, answer.body]).toMatchObject([200, { matched: 1 }]);
    expect(await world.receipts.list({ limit: 9 })).toHaveLength(1);
  });

  it.each([
    ["no HTTP", "\u0000\u0001\u0002\r\n\r\n", 400],
    [
      "two lengths",
      "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
      400,
    ],
    [
      "a length and chunks",
      "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    [
      "headers without end",
      `POST /webhooks/github HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
    ],
  ])("of %s is refused", async (_what, sent, status) => {
    const socket = await dial();
    socket.write(sent);
    expect(await text(socket)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(await world.receipts.list({ limit: 1 })).toEqual([]);
  });
});

describe("bodies in memory", () => {
  const request = (bytes: number) =>
    new Request("http://x/", {
      ...{ method: "POST", body: new Uint8Array(bytes), headers: { "content-length": `${bytes}` } },
    });

  it("are few when they are large; small ones are always read", async () => {
    const bodies = createBodyReader({ budgetBytes: 200_000 });
    const done = Promise.withResolvers<void>();
    const first = bodies.withBody(request(200_000), async (body) => {
      await done.promise;
      return body.byteLength;
    });
    const size = async (body: Uint8Array) => body.byteLength;
    await expect(bodies.withBody(request(200_000), size)).rejects.toMatchObject({
      ...{ status: 503, code: "busy", retryAfterSeconds: 10 },
    });
    expect(await bodies.withBody(request(60_000), size)).toBe(60_000);
    done.resolve();
    expect(await first).toBe(200_000);
    expect(await bodies.withBody(request(200_000), size)).toBe(200_000);
  });

  it("count only what has arrived: who announces much and sends nothing keeps nobody out", async () => {
    const bodies = createBodyReader({ budgetBytes: 200_000 });
    const silent = () =>
      new Request("http://x/", {
        ...{ method: "POST", duplex: "half", headers: { "content-length": "10000000" } },
        body: new ReadableStream({ pull: () => new Promise(() => undefined) }),
      });
    for (let n = 0; n < 20; n += 1) void bodies.withBody(silent(), async () => undefined);
    expect(await bodies.withBody(request(200_000), async (body) => body.byteLength)).toBe(200_000);
  });

  it("give their memory back when what is done with them fails", async () => {
    const bodies = createBodyReader({ budgetBytes: 200_000 });
    const fail = async () => {
      throw new TypeError("no");
    };
    for (let n = 0; n < 5; n += 1) {
      await expect(bodies.withBody(request(200_000), fail)).rejects.toThrow("no");
    }
  });
});

/** A world that waits as long as strangers are waited for. */
async function reopened(): Promise<WebhookWorld> {
  await world.dispose();
  return openWebhookWorld();
}

function sendChunks(body: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  const bytes = Buffer.from(body);
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.byteLength) return controller.close();
      controller.enqueue(new Uint8Array(bytes.subarray(at, at + 65_536)));
      at += 65_536;
    },
  });
  const init = { method: "POST", body: stream, headers, duplex: "half" } as const;
  return fetch(`${world.url}/webhooks/github`, init);
}
