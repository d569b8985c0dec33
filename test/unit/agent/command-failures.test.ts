import { mkdir, readdir, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CommandHarness } from "./command-harness.ts";

let commands: CommandHarness;
beforeAll(async () => {
  commands = await CommandHarness.create();
});
afterAll(() => commands.dispose());
afterEach(() => rm(commands.signals, { recursive: true, force: true }));

describe("without GATEWAY_URL", () => {
  it.each([
    ...["rlock x", "runlock x", "rlock-heartbeat x", "al-rerun", "al-status x", "al-return x"],
  ])("%s is fine", async (line) => {
    const [name = "", ...args] = line.split(" ");
    expect(await commands.run(name, args)).toMatchObject({
      ...{ code: 0, answer: { ok: true } },
    });
  });

  it.each(["al-call x", "al-check x", "al-wait x", "al-shutdown"])("%s fails", async (line) => {
    const [name = "", ...args] = line.split(" ");
    expect(await commands.run(name, args, { env: { GATEWAY_URL: "" } })).toMatchObject({
      ...{ code: 5, answer: { ok: false, error: expect.stringContaining("GATEWAY_URL") } },
    });
  });
});

describe("used wrongly", () => {
  it.each([
    ["rlock", []],
    ["rlock", [""]],
    ["rlock", ["a", "b"]],
    ["rlock", ["--wait"]],
    ["rlock", ["--wait", "5"]],
    ["rlock", ["a", "--wait"]],
    ["rlock", ["a", "--wait", "soon"]],
    ["runlock", []],
    ["rlock-heartbeat", []],
    ["al-call", []],
    ["al-call", ["a", "b"]],
    ["al-check", []],
    ["al-wait", []],
    ["al-wait", ["x", "--timeout", "soon"]],
    ["al-wait", ["x", "--wait"]],
    ["al-status", []],
    ["al-exit", ["no"]],
  ])("%s %j exits with 9", async (name, args) => {
    const env = { GATEWAY_URL: "http://127.0.0.1:9" };
    expect(await commands.run(name, args, { env })).toMatchObject({
      ...{ code: 9, answer: { ok: false, error: expect.stringContaining(`usage: ${name}`) } },
    });
  });
});

describe("a gateway that fails", () => {
  let server: Server;
  let env: Record<string, string>;
  const asked: (string | undefined)[] = [];
  let respond: { status: number; text: string } = { status: 200, text: "{}" };
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(respond.status).end(respond.text);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    env = { GATEWAY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
  });
  afterAll(() => void server.close());

  it.each([
    [200, 0],
    [409, 1],
    [404, 2],
    [403, 3],
    [400, 4],
    [503, 5],
    [418, 7],
    [302, 7],
    [502, 10],
    [504, 11],
    [500, 12],
  ])("HTTP %i is exit status %i", async (status, code) => {
    respond = { status, text: '{"said":"so"}' };
    expect(await commands.run("rlock", ["x"], { env })).toMatchObject({
      ...{ code, answer: { said: "so" } },
    });
    respond = { status, text: "<html>" };
    const plain = { ok: false, error: `the gateway answered with HTTP ${status}` };
    expect(await commands.run("al-check", ["x"], { env })).toMatchObject({ code, answer: plain });
  });

  it("is waited for once, not by every command", async () => {
    respond = { status: 503, text: "{}" };
    await mkdir(commands.signals, { recursive: true });
    const patient = { env: { ...env, AL_GATEWAY_PATIENCE_SECONDS: "1" } };
    asked.length = 0;
    expect((await commands.run("rlock", ["x"], patient)).code).toBe(5);
    expect(asked.length).toBeGreaterThan(1);
    asked.length = 0;
    expect((await commands.run("rlock", ["x"], patient)).code).toBe(5);
    expect(asked).toEqual(["/locks/acquire"]);
    respond = { status: 200, text: "{}" };
    expect((await commands.run("rlock", ["x"], patient)).code).toBe(0);
    expect(await readdir(commands.signals)).toEqual([]);
  });

  it("is not waited for where there cannot be one", async () => {
    const nowhere = { GATEWAY_URL: "http://gateway.invalid", AL_GATEWAY_PATIENCE_SECONDS: "60" };
    const { code, ms } = await commands.run("rlock", ["x"], { env: nowhere });
    expect(code).toBe(6);
    expect(ms).toBeLessThan(15_000);
  });
});

it("a gateway is asked again for what is left of a wait, though that was longer than its patience", async () => {
  const waits: number[] = [];
  const slow = createServer(async (request, response) => {
    waits.push(((await json(request)) as { wait: number }).wait);
    await delay(waits.length === 1 ? 1500 : 0);
    response.writeHead(waits.length < 3 ? 503 : 200).end("{}");
  });
  await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
  const patient = { env: { GATEWAY_URL: url, AL_GATEWAY_PATIENCE_SECONDS: "1" } };
  expect((await commands.run("rlock", ["x", "--wait", "20"], patient)).code).toBe(0);
  slow.close();
  expect(waits).toHaveLength(3);
  expect(waits[0]).toBeGreaterThan(19);
  expect(waits[1]).toBeLessThan(18.5);
  expect(waits[2]).toBeLessThan(waits[1] ?? 0);
});
