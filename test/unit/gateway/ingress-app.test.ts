import { Hono } from "hono";
import { beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/logger.ts";
import { ingressApp } from "../../../src/gateway/ingress-app.ts";
import { SimulatedClock, settle } from "../schedule/simulated-clock.ts";

let published: { control: boolean; trustedProxies: readonly string[] } | undefined;
let clock: SimulatedClock;
let app: Hono;
/** Paths that came through. */
let seen: string[];
/** When requests for `/webhooks/slow` are answered. */
let held: PromiseWithResolvers<void>;

beforeEach(() => {
  published = { control: false, trustedProxies: [] };
  clock = new SimulatedClock();
  seen = [];
  const outside = new Hono();
  held = Promise.withResolvers();
  outside.all("/webhooks/slow", async ({ text }) => {
    await held.promise;
    return text("", 400);
  });
  outside.all("*", ({ req, text }) => {
    seen.push(req.path);
    return text("", Number(req.query("status") ?? 200) as 200);
  });
  const port = { current: async () => published };
  const networkGateway = "10.213.7.1";
  app = ingressApp({ outside, published: port, networkGateway, clock, logger: silentLogger });
});

async function send(path: string, from = "198.51.100.9"): Promise<Response> {
  return app.request(path, { method: "POST", headers: { "x-forwarded-for": from } });
}

test("webhooks are public, and the control API is not", async () => {
  expect((await send("/webhooks/github")).status).toBe(200);
  for (const path of ["/control/status", "/api/logs/scheduler", "/openapi.json", "/", "/health"]) {
    const answer = await send(path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ error: "no such route", code: "not-found" });
  }
  expect((await send("/webhooks/../control/status")).status).toBe(404);
  expect((await send("/webhooks/%2e%2e/control/status")).status).toBe(404);
  expect(seen).toEqual(["/webhooks/github"]);
});

test("the control API is public as long as the live release says so", async () => {
  published = { control: true, trustedProxies: [] };
  expect((await send("/control/status")).status).toBe(200);
  published = undefined;
  expect((await send("/control/status")).status).toBe(404);
});

test("a client whose requests are refused again and again is turned away unread", async () => {
  for (let n = 0; n < 60; n += 1) expect((await send("/webhooks/x?status=401")).status).toBe(401);
  seen = [];
  const answer = await send("/webhooks/github");
  expect(answer.status).toBe(429);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await answer.json()).toMatchObject({ code: "too-many-refused" });
  expect(seen).toEqual([]);
  expect((await send("/webhooks/github", "198.51.100.10")).status).toBe(200);
  await clock.advance(60_000);
  expect((await send("/webhooks/github")).status).toBe(200);
});

test("who had something let in is never turned away, whatever strangers send from its address", async () => {
  for (let n = 0; n < 60; n += 1) await send("/webhooks/x?status=401");
  await clock.advance(60_000);
  expect((await send("/webhooks/github")).status).toBe(200);
  for (let n = 0; n < 200; n += 1) expect((await send("/webhooks/x?status=401")).status).toBe(401);
  expect((await send("/webhooks/github")).status).toBe(200);
  await clock.advance(59 * 60_000);
  for (let n = 0; n < 61; n += 1) await send("/webhooks/x?status=401");
  expect((await send("/webhooks/github")).status).toBe(200);
});

test("an hour after the last that was let in, a client is one of many again", async () => {
  expect((await send("/webhooks/github")).status).toBe(200);
  await clock.advance(60 * 60_000);
  for (let n = 0; n < 60; n += 1) await send("/webhooks/x?status=401");
  expect((await send("/webhooks/github")).status).toBe(429);
});

test("whom Docker passes on itself is nobody's client, and turned away for nobody", async () => {
  for (let n = 0; n < 100; n += 1) await send("/webhooks/x?status=401", "10.213.7.1");
  expect((await send("/webhooks/x?status=401", "10.213.7.1")).status).toBe(401);
  for (let n = 0; n < 61; n += 1) await send("/webhooks/x?status=401", "10.213.7.2");
  expect((await send("/webhooks/github", "10.213.7.2")).status).toBe(429);
});

/** So many slow requests, which are under way when this resolves. */
async function sendSlowly(count: number, from: string): Promise<Promise<Response>[]> {
  const sent = Array.from({ length: count }, () => send("/webhooks/slow", from));
  await settle();
  return sent;
}

test.each([
  ["a client", "198.51.100.9"],
  ["whom Docker passes on itself", "10.213.7.1"],
])("of %s no more than 64 requests are under way, and others go on", async (_who, from) => {
  const slow = await sendSlowly(64, from);
  const excess = send("/webhooks/github", from);
  await clock.advance(3000);
  expect(await (await excess).json()).toMatchObject({ code: "too-many-under-way" });
  expect(seen).toEqual([]);
  expect((await send("/webhooks/github", "198.51.100.10")).status).toBe(200);
  held.resolve();
  expect((await Promise.all(slow)).map(({ status }) => status)).toEqual(Array(64).fill(400));
});

test("what comes all at once waits for a place", async () => {
  const slow = await sendSlowly(64, "198.51.100.9");
  const late = send("/webhooks/github");
  await clock.advance(500);
  expect(seen).toEqual([]);
  held.resolve();
  await Promise.all(slow);
  await clock.advance(50);
  expect((await late).status).toBe(200);
});

test("of who had something let in any number may be under way", async () => {
  expect((await send("/webhooks/github")).status).toBe(200);
  const slow = await sendSlowly(200, "198.51.100.9");
  expect((await send("/webhooks/github")).status).toBe(200);
  held.resolve();
  await Promise.all(slow);
});

test("who has too many under way again and again is turned away at once", async () => {
  const slow = await sendSlowly(64 + 60, "198.51.100.9");
  await clock.advance(2050);
  expect((await send("/webhooks/github")).status).toBe(429);
  expect(clock.sleepers).toBe(0);
  held.resolve();
  await Promise.all(slow);
});

test("nobody is turned away for what another client wrote into its header", async () => {
  const spoofed = "198.51.100.9, 203.0.113.5";
  for (let n = 0; n < 61; n += 1) await send("/webhooks/x?status=401", spoofed);
  expect((await send("/webhooks/github")).status).toBe(200);
  expect((await send("/webhooks/github", "203.0.113.5")).status).toBe(429);
});

test("behind a trusted proxy each of its clients is one of its own", async () => {
  published = { control: false, trustedProxies: ["173.245.48.0/20"] };
  for (let n = 0; n < 61; n += 1) await send("/webhooks/x?status=404", "203.0.113.5, 173.245.48.1");
  expect((await send("/webhooks/x", "203.0.113.5, 173.245.48.9")).status).toBe(429);
  expect((await send("/webhooks/x", "198.51.100.9, 173.245.48.1")).status).toBe(200);
});

test("what is let in, comes too fast, or cannot be done now, never counts", async () => {
  for (const status of [200, 409, 429, 503]) {
    for (let n = 0; n < 61; n += 1) await send(`/webhooks/x?status=${status}`);
  }
  expect((await send("/webhooks/github")).status).toBe(200);
});
