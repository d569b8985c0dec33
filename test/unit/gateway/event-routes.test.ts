import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { controlApi } from "../../../src/gateway/control-api.ts";
import { ErrorAnswer } from "../../../src/gateway/control-schema.ts";
import { type NewEvent, RuntimeEvent } from "../../../src/gateway/event-schema.ts";
import { settle } from "../schedule/simulated-clock.ts";
import { serveAtDoor } from "./at-door.ts";
import { createPorts } from "./harness.ts";

const said = (text: string): NewEvent => ({ kind: "signal", run: "01A", signal: "status", text });

let ports: ReturnType<typeof createPorts>;
let app: ReturnType<typeof controlApi>;
let open: ReadableStreamDefaultReader<Uint8Array>[];
beforeEach(() => {
  ports = createPorts();
  app = controlApi(ports);
  open = [];
});
afterEach(async () => {
  for (const reader of open) await reader.cancel();
});

async function listen(headers: Record<string, string> = {}) {
  const response = await app.request("/control/events", { headers });
  if (!response.ok) return { response, read: async () => "" };
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  open.push(reader);
  const read = async () => new TextDecoder().decode((await reader.read()).value);
  return { response, read };
}

test("events are sent as server-sent events, with a comment where there are none", async () => {
  const { response, read } = await listen();
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(await read()).toBe("retry: 2000\n\n");
  ports.events.emit(said("two\nlines"));
  const [event, id, data, ...rest] = (await read()).split("\n");
  expect([event, id, rest]).toEqual([
    "event: signal",
    expect.stringMatching(/^id: \d+$/),
    ["", ""],
  ]);
  expect(RuntimeEvent.parse(JSON.parse(data?.replace("data: ", "") ?? ""))).toEqual({
    ...{ kind: "signal", run: "01A", signal: "status", text: "two\nlines" },
    at: ports.clock.now(),
  });
  const beat = read();
  await settle();
  await ports.clock.advance(15_000);
  expect(await beat).toBe(":\n\n");
});

test("events go on after the last one that was seen", async () => {
  ports.events.emit(said("a"));
  const first = await listen({ "last-event-id": "1" });
  await first.read();
  expect(await first.read()).toContain('"change":"missed"');
  const id = /id: (\d+)/.exec(await first.read())?.[1] ?? "";
  ports.events.emit(said("b"));
  const second = await listen({ "last-event-id": id });
  await second.read();
  expect(await second.read()).toContain('"text":"b"');
  const { response } = await listen({ "last-event-id": "x" });
  expect(response.status).toBe(400);
});

test("events are for so many at a time, followed logs among them; who leaves makes room", async () => {
  for (let n = 0; n < 63; n += 1) await listen();
  const log = await app.request("/api/logs/agents/dev?follow=1");
  const { response } = await listen();
  const { code } = ErrorAnswer.parse(await response.json());
  expect([response.status, code]).toEqual([503, "too-many-streams"]);
  expect((await app.request("/api/logs/agents/dev?follow=1")).status).toBe(503);
  expect((await app.request("/api/logs/agents/dev")).status).toBe(200);
  await log.body?.cancel();
  expect((await listen()).response.status).toBe(200);
});

test("who leaves is listened for no more, and who asks for the head only never was", async () => {
  const told: string[] = [];
  const { listen: begin } = ports.events;
  ports.events.listen = (options) => {
    const listener = begin(options);
    told.push("open");
    const close = () => {
      told.push("closed");
      listener.close();
    };
    return { ...listener, close };
  };
  for (let n = 0; n < 100; n += 1) {
    const head = await app.request("/control/events", { method: "HEAD" });
    expect(head.headers.get("content-type")).toBe("text/event-stream");
  }
  expect(told).toEqual([]);
  const { read } = await listen();
  await read();
  expect(told).toEqual(["open"]);
  await open.at(-1)?.cancel();
  expect(told).toEqual(["open", "closed"]);
});

test("who does not read events is cut off, and nobody else", async () => {
  const listening = await serveAtDoor(app);
  const socket = connect(listening.port, "127.0.0.1");
  socket.write("GET /control/events HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(socket, "data");
  socket.pause();
  const closed = once(socket, "close");
  const { read } = await listen();
  await read();
  let texts = 0;
  for (let n = 0; n < 60_000; n += 1) {
    ports.events.emit(said("x".repeat(1000)));
    if (n % 50 !== 0) continue;
    while (texts < n) texts += (await read()).split("event: signal").length - 1;
    await turn();
  }
  socket.resume();
  await closed;
  expect(texts).toBeGreaterThan(59_000);
  await listening.close();
});
