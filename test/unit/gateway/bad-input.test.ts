import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DoorsWorld, KEY, openDoorsWorld, SIGNED_WITH } from "./doors-world.ts";
import { hmac } from "./webhook-world.ts";

const MEBI = 1024 * 1024;

type Door = keyof DoorsWorld["ports"];

/** A request as it should not be; `SECRET` in it stands for the secret of a run. */
interface Request {
  readonly path: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the answer's text says. */
  readonly says: string;
}

let world: DoorsWorld;
let secret: string;
beforeAll(async () => {
  world = await openDoorsWorld({ headersMs: 1000, requestMs: 2000 });
  secret = (await world.run("dev")).secret;
});
afterAll(() => world.dispose());

const signed = (body: string | Buffer, by = SIGNED_WITH) => ({
  "x-hub-signature-256": `sha256=${hmac(body, by)}`,
});
const JSON_TYPE = { "content-type": "application/json" };
const bearer = { authorization: `Bearer ${KEY}` };
const LARGE = JSON.stringify({ padding: "x".repeat(10 * MEBI + 1 - 14) });
const call = (more: object) =>
  JSON.stringify({ secret: "SECRET", targetAgent: "tester", context: "", ...more });

const webhooks: readonly (readonly [string, number, Request])[] = [
  ["no JSON", 400, delivery("{oops", "the body is not JSON")],
  ["a list", 400, delivery("[]", "not a JSON object")],
  ["no text", 400, delivery(Buffer.from([0x7b, 0xff]), "not UTF-8")],
  ["nested without end", 400, delivery(`{"a":${"[".repeat(1e5)}`, "nested deeper than 200")],
  ["a wrong secret", 401, { ...delivery("{}", "does not fit"), headers: signed("{}", "guess") }],
  ["no signature", 401, { path: "/webhooks/github", says: "not signed" }],
  ["an unknown type", 404, { path: "/webhooks/gitlab", says: "unknown-type" }],
  ["an unknown source", 404, { path: "/webhooks/github/other", says: "unknown-source" }],
  ["10 MB and a byte", 413, delivery(LARGE, "larger than 10485760 bytes")],
];
const containers: readonly (readonly [string, number, Request])[] = [
  ["no JSON", 400, { path: "/calls", body: "{oops", says: "invalid JSON body" }],
  ["a list", 400, { path: "/locks/acquire", body: "[]", says: "invalid JSON body" }],
  ["nothing", 400, { path: "/signals/return", says: "invalid JSON body" }],
  ["no secret", 400, { path: "/calls", body: "{}", says: "missing secret" }],
  ["a wrong secret", 403, { path: "/calls", body: call({ secret: "no" }), says: "invalid secret" }],
  [
    "an unknown agent",
    409,
    { path: "/calls", body: call({ targetAgent: "no" }), says: "no agent" },
  ],
  ["its own agent", 409, { path: "/calls", body: call({ targetAgent: "dev" }), says: "itself" }],
  [
    "an agent that is no text",
    400,
    { path: "/calls", body: call({ targetAgent: {} }), says: "targetAgent must be a string" },
  ],
  [
    "a context of 10 MB and a byte",
    413,
    {
      path: "/calls",
      body: call({ context: "x".repeat(10 * MEBI + 1) }),
      says: "context is larger",
    },
  ],
  [
    "a body of 13 MB",
    413,
    { path: "/calls", body: call({ context: "x".repeat(13 * MEBI) }), says: "the body is larger" },
  ],
  [
    "a status of 10 MB and a byte",
    413,
    { path: "/signals/status", body: LARGE, says: "larger than 65536 bytes" },
  ],
  ["an unknown route", 404, { path: "/control/pause", body: "{}", says: "not found" }],
];
const control: readonly (readonly [string, number, Request])[] = [
  ["no JSON", 400, trigger("{oops", "bad-request")],
  ["a list", 400, trigger("[]", "bad-request")],
  ["a context that is none", 400, trigger('{"context":7}', "bad-request")],
  ["a body of no type", 415, { ...trigger("{}", "wrong-content-type"), headers: bearer }],
  ["no key", 401, { path: "/control/trigger/tester", body: "{}", says: "no-key" }],
  [
    "a wrong key",
    401,
    { ...trigger("{}", "wrong-key"), headers: { authorization: "Bearer of-another-gateway" } },
  ],
  ["an unknown agent", 404, { ...trigger("{}", "unknown-agent"), path: "/control/trigger/no" }],
  ["an unknown run", 404, { ...trigger("{}", "unknown-run"), path: "/control/kill/no" }],
  ["an unknown route", 404, { ...trigger("{}", "no such route"), path: "/control/no" }],
  ["10 MB and much more", 413, trigger(`{"a":"${"x".repeat(11 * MEBI)}"}`, "body-too-large")],
];

describe.each([
  ["webhooks", webhooks],
  ["containers", containers],
  ["control", control],
] as const)("what comes to the door of %s", (door, rows) => {
  it.each(rows)("with %s is answered with %i and why, and starts nothing", async (...row) => {
    const [, status, request] = row;
    const before = { ...(await world.stored()), starts: world.engine.starts.length };
    const answer = await send(door, request);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(request.says)]);
    expect(JSON.parse(answer.text)).toHaveProperty(status === 409 ? "reason" : "error");
    expect({ ...(await world.stored()), starts: world.engine.starts.length }).toEqual(before);
  });

  it.each([
    ["headers", "X-Slow: "],
    ["body", "Content-Length: 60000\r\n\r\n{"],
    ["chunks", "Transfer-Encoding: chunked\r\n\r\nffff\r\n{"],
  ])("and whose %s never end is told so with 408", async (_what, rest) => {
    const before = await world.stored();
    const path = { webhooks: "/webhooks/github", containers: "/calls", control: "/control/pause" };
    const head = `POST ${path[door]} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${KEY}\r\n${rest}`;
    expect(await drip(world.ports[door], head)).toMatch(/^HTTP\/1\.1 408 /);
    expect(await world.stored()).toEqual(before);
  });
});

describe("what comes twice", () => {
  it("is one delivery: the second is told that it is a duplicate", async () => {
    const body = '{"action":"opened"}';
    const headers = { ...signed(body), "x-github-delivery": "twice" };
    const request = { path: "/webhooks/github", body, headers, says: "" };
    const before = await world.stored();
    const answers = await Promise.all([send("webhooks", request), send("webhooks", request)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers.filter(({ text: said }) => said.includes("duplicate"))).toHaveLength(1);
    const { runs, receipts } = await world.stored();
    expect([runs - before.runs, receipts - before.receipts]).toEqual([1, 1]);
  });

  it("is one call, and both have its id", async () => {
    const before = await world.stored();
    const request = { path: "/calls", body: call({ requestId: "r1" }), says: "" };
    const answers = await Promise.all([send("containers", request), send("containers", request)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(new Set(answers.map(({ text: said }) => said)).size).toBe(1);
    expect((await world.stored()).runs - before.runs).toBe(1);
  });
});

it("after all this every door still lets in what is right", async () => {
  const before = await world.stored();
  const good: readonly (readonly [Door, Request, number])[] = [
    ["webhooks", { ...delivery('{"n":1}', ""), path: "/webhooks/github/acme" }, 200],
    ["containers", { path: "/calls", body: call({}), says: "" }, 200],
    ["control", trigger("{}", ""), 202],
  ];
  for (const [door, request, status] of good) {
    expect((await send(door, request)).status).toBe(status);
  }
  const { runs, receipts } = await world.stored();
  expect([runs - before.runs, receipts - before.receipts]).toEqual([3, 1]);
});

function delivery(body: string | Buffer, says: string): Request {
  return { path: "/webhooks/github", body, headers: signed(body), says };
}

function trigger(body: string, says: string): Request {
  const headers = { ...JSON_TYPE, ...bearer };
  return { path: "/control/trigger/tester", body, headers, says };
}

async function send(door: Door, { path, body = "", headers = {} }: Request) {
  const bytes = typeof body === "string" ? body.replace("SECRET", secret) : new Uint8Array(body);
  const url = `http://127.0.0.1:${world.ports[door]}${path}`;
  const response = await fetch(url, { method: "POST", body: bytes, headers });
  return { status: response.status, text: await response.text() };
}

/** Sends the beginning of a request and then a byte now and then; what comes back. */
async function drip(port: number, head: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  // An answer may come, and the connection end, before all is sent.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(head);
  const dripping = setInterval(() => socket.write("a"), 50);
  let answer = "";
  socket.on("data", (bytes) => {
    answer += String(bytes);
    clearInterval(dripping);
  });
  await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(dripping);
  return answer;
}
