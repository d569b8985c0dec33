import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import { containerApi } from "../../../src/gateway/container-api.ts";
import { GatewayWorld, type LiveRun } from "./gateway-world.ts";

let world: GatewayWorld;
let run: LiveRun;
beforeEach(async () => {
  world = await GatewayWorld.create();
  run = await world.run();
});
afterEach(() => world.dispose());

const refused = { status: 403, body: { error: "invalid secret" } };

describe("GET /health", () => {
  it("is ok while the gateway can really serve", async () => {
    expect(await world.get("/health")).toEqual({ status: 200, body: { status: "ok" } });
  });

  it.each([
    [async () => false, 503],
    [() => Promise.reject(new TypeError("disk")), 500],
    [
      () => Promise.reject(new AlError("x", { code: "current-unreadable", blame: "transient" })),
      503,
    ],
  ])("is not ok when it cannot, or looking fails", async (serving, status) => {
    const { ports } = world;
    const app = containerApi({ ...ports, runtime: { ...ports.runtime, serving } });
    expect((await app.request("/health")).status).toBe(status);
  });
});

describe("GET /credentials/:secret", () => {
  it("gives a run its credentials", async () => {
    expect(await world.get(`/credentials/${run.secret}`)).toEqual({
      status: 200,
      body: { github_token: { default: { token: "ghp" } } },
    });
  });

  it("refuses anybody else, and the run once it has ended", async () => {
    expect(await world.get("/credentials/guess")).toEqual(refused);
    await world.end(run.id);
    expect(await world.get(`/credentials/${run.secret}`)).toEqual(refused);
  });
});

describe("POST /shutdown", () => {
  it("kills the run of the secret, and records the reason", async () => {
    const answer = await world.post("/shutdown", { secret: run.secret, reason: "leak" });
    expect(answer).toEqual({ status: 200, body: { ok: true } });
    expect(world.world.engine.running()).toBe(0);
    await expect
      .poll(() => world.ports.runs.get(run.id))
      .toMatchObject({
        ...{ state: "finished", outcome: "killed", detail: "shut down by its agent: leak" },
      });
  });

  it("never says that it killed what it did not kill", async () => {
    world.world.engine.vanish(`run-${run.id}`);
    const { schedule } = world.ports;
    const app = containerApi({
      ...world.ports,
      schedule: { call: schedule.call, kill: async () => false },
    });
    const other = await world.run();
    const body = JSON.stringify({ secret: other.secret });
    const answer = await app.request("/shutdown", { method: "POST", body });
    expect([answer.status, await answer.json()]).toEqual([
      409,
      { ok: false, reason: "the container is not running" },
    ]);
  });

  it.each([
    ["{", 400, "invalid JSON body"],
    ["", 400, "invalid JSON body"],
    ["[]", 400, "invalid JSON body"],
    ["null", 400, "invalid JSON body"],
    ["{}", 400, "missing secret"],
    ['{"secret":""}', 400, "missing secret"],
    ['{"secret":"guess"}', 403, "invalid secret"],
    ['{"secret":7}', 403, "invalid secret"],
    ['{"secret":{"toString":1}}', 403, "invalid secret"],
  ])("answers the body %s with %i %s", async (body, status, error) => {
    expect(await world.post("/shutdown", body)).toEqual({ status, body: { error } });
    expect(world.world.engine.running()).toBe(1);
  });
});

describe("the secret", () => {
  it("may come in the body, the query or as a bearer token", async () => {
    const { secret } = run;
    const authorization = `Bearer ${secret}`;
    expect((await world.post("/signals/rerun", { secret })).status).toBe(200);
    expect((await world.post(`/signals/rerun?secret=${secret}`, {})).status).toBe(200);
    expect((await world.post("/signals/rerun", {}, { headers: { authorization } })).status).toBe(
      200,
    );
    expect((await world.get(`/locks/list?secret=${secret}`)).status).toBe(200);
    expect((await world.get("/locks/list", { authorization })).status).toBe(200);
  });

  it.each(["/locks/list", "/calls/01A"])("is needed for GET %s", async (path) => {
    expect(await world.get(path)).toEqual({ status: 400, body: { error: "missing secret" } });
    expect(await world.get(`${path}?secret=guess`)).toEqual(refused);
    expect(await world.get(path, { authorization: "Bearer guess" })).toEqual(refused);
    expect((await world.get(path, { authorization: "Basic guess" })).status).toBe(400);
  });

  it.each([
    ...["/locks/acquire", "/locks/release", "/locks/heartbeat", "/calls", "/shutdown"],
    ...["/signals/rerun", "/signals/status", "/signals/return", "/signals/trigger"],
  ])("is needed for POST %s, and must be an unfinished run's", async (path) => {
    expect(await world.post(path, "{oops")).toEqual({
      ...{ status: 400, body: { error: "invalid JSON body" } },
    });
    expect((await world.post(path, {})).body).toEqual({ error: "missing secret" });
    expect(await world.post(path, { secret: "guess" })).toEqual(refused);
    await world.end(run.id);
    expect(await world.post(path, { secret: run.secret })).toEqual(refused);
  });
});

describe("everything else", () => {
  it("is 404 in JSON, the control API included", async () => {
    const missing = { status: 404, body: { error: "not found" } };
    expect(await world.get("/control/status")).toEqual(missing);
    expect(await world.get("/locks/acquire")).toEqual(missing);
    expect(await world.post("/health", {})).toEqual(missing);
  });

  it("goes on while many large bodies are on their way, which are read a few at a time", async () => {
    const { hostname: host, port } = new URL(world.url);
    const head = "POST /calls HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    const slow = Array.from({ length: 8 }, () => connect({ host, port: Number(port) }));
    await Promise.all(slow.map((socket) => once(socket, "connect")));
    await Promise.all(slow.map((socket) => new Promise((done) => socket.write(head, done))));
    await delay(200);
    let made: unknown;
    const { secret } = run;
    const body = { secret, targetAgent: "reviewer", context: "" };
    const call = world.post("/calls", body).then((answer) => {
      made = answer.body;
    });
    expect((await world.post("/locks/acquire", { secret, resourceKey: "x" })).status).toBe(200);
    await delay(200);
    expect(made).toBeUndefined();
    // Whoever says at once which run it is does not wait for them.
    const authorization = `Bearer ${secret}`;
    const named = { targetAgent: "tester", context: "" };
    expect((await world.post("/calls", named, { headers: { authorization } })).body).toMatchObject({
      ok: true,
    });
    for (const socket of slow) socket.destroy();
    await call;
    expect(made).toMatchObject({ ok: true });
  });

  it("goes on while one run sends large bodies slowly, which holds up only its own", async () => {
    const other = await world.run("tester");
    const { hostname: host, port } = new URL(world.url);
    const bearer = ({ secret }: LiveRun) => ({ headers: { authorization: `Bearer ${secret}` } });
    const head = `POST /signals/return HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${other.secret}\r\nContent-Length: 1000000\r\n\r\n`;
    const slow = Array.from({ length: 20 }, () => connect({ host, port: Number(port) }));
    await Promise.all(slow.map((socket) => once(socket, "connect")));
    await Promise.all(slow.map((socket) => new Promise((done) => socket.write(head, done))));
    await delay(200);
    expect((await world.post("/signals/return", { value: 1 }, bearer(run))).status).toBe(200);
    const own = world.post("/signals/return", { value: 2 }, bearer(other));
    expect(await Promise.race([own, delay(200)])).toBeUndefined();
    for (const socket of slow) socket.destroy();
    expect((await own).status).toBe(200);
  });

  it("is refused with 413 in JSON when it is too large", async () => {
    const big = "x".repeat(70_000);
    for (const path of ["/shutdown", "/locks/acquire", "/signals/status"]) {
      const answer = await world.post(path, { secret: run.secret, reason: big });
      expect(answer).toEqual({
        ...{ status: 413, body: { error: "the body is larger than 65536 bytes" } },
      });
    }
  });
});
